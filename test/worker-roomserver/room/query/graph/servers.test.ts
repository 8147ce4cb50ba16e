import { describe, expect, test } from "vitest";
import type { JsonObject } from "../../../../../src/matrix/json.ts";
import { Story } from "../../../../reference/story.ts";
import { refusal } from "../../../support/requester.ts";
import { testRooms } from "../../../support/room.ts";
import { AskedRoom, asking } from "./asked-room.ts";

const alice = "@alice:a.example";
const notFound = { errcode: "M_NOT_FOUND", status: 404 };

describe("the servers in a room", () => {
  test("are those of its joined members, each once", async () => {
    const story = new Story("11");
    story.member("second", "@second:b.example:8448", "join");
    story.member("third", "@third:b.example", "join");
    story.member("invited", alice, "invite", { of: "@dave:d.example" });
    story.member("carol leaves", "@carol:c.example", "leave");
    const room = await AskedRoom.of(story);
    const servers = await (await room.ask()).serversIn(room.roomId);
    expect(servers.toSorted()).toEqual(["a.example", "b.example", "b.example:8448"]);
  });

  test("are not known of a room that is not", async () => {
    const room = await AskedRoom.of(new Story("11"));
    expect(await refusal((await room.ask()).serversIn("!no:room"))).toEqual(notFound);
  });
});

test("users share the rooms that both are joined to", async () => {
  const t = await testRooms();
  const [anna, ben] = [t.user("anna"), t.user("ben")];
  const act = (roomId: string, who: typeof anna, action: "join" | "leave" | "invite", target = who) =>
    t.rooms.changeMembership(t.request(), who, { roomId, action, target: target.userId });
  const roomWith = async (actions: ("invite" | "join" | "leave")[]) => {
    const { room_id: roomId } = await t.rooms.createRoom(t.request(), anna, {});
    for (const action of actions) {
      if (action === "invite") await act(roomId, anna, "invite", ben);
      else await act(roomId, ben, action);
    }
    return roomId;
  };
  await roomWith([]);
  await roomWith(["invite"]);
  const shared = await roomWith(["invite", "join"]);
  await roomWith(["invite", "join", "leave"]);
  const again = await roomWith(["invite", "join", "leave", "invite", "join"]);
  const { ask } = await asking(t);
  const both = [shared, again].toSorted();
  expect((await ask.sharedRooms(anna.userId, ben.userId)).toSorted()).toEqual(both);
  expect((await ask.sharedRooms(ben.userId, anna.userId)).toSorted()).toEqual(both);
  expect(await ask.sharedRooms(anna.userId, "@nobody:n.example")).toEqual([]);
});

describe("the access control list", () => {
  const withList = async (content: JsonObject) => {
    const story = new Story("11");
    story.state("list", alice, "m.room.server_acl", content);
    return AskedRoom.of(story);
  };

  test("of a room that has none lets everybody in", async () => {
    const room = await AskedRoom.of(new Story("11"));
    expect(await (await room.ask()).isServerAllowed(room.roomId, "evil.example")).toBe(true);
  });

  test("is that of the room as it is now", async () => {
    const room = await withList({ allow: ["*"], deny: ["evil.example"] });
    const ask = await room.ask();
    expect(await ask.isServerAllowed(room.roomId, "evil.example:8448")).toBe(false);
    expect(await ask.isServerAllowed(room.roomId, "good.example")).toBe(true);
    room.story.state("another", alice, "m.room.server_acl", { allow: ["*"], deny: ["good.example"] });
    await room.takeIn(["another"]);
    const later = await room.ask();
    expect(await later.isServerAllowed(room.roomId, "evil.example:8448")).toBe(true);
    expect(await later.isServerAllowed(room.roomId, "good.example")).toBe(false);
  });

  test("says the same each time it is asked", async () => {
    const room = await withList({ allow: ["*.example"] });
    const ask = await room.ask();
    for (let i = 0; i < 3; i++) {
      expect(await ask.isServerAllowed(room.roomId, "a.example")).toBe(true);
      expect(await ask.isServerAllowed(room.roomId, "a.test")).toBe(false);
    }
  });

  test("that was redacted lets nobody in", async () => {
    const room = await withList({ allow: ["*"] });
    const redacts = room.id("list");
    room.story.tell("redaction", alice, { type: "m.room.redaction", content: {}, redacts });
    await room.takeIn(["redaction"]);
    expect(await (await room.ask()).isServerAllowed(room.roomId, "a.example")).toBe(false);
  });

  test("is not asked of a room that is not known", async () => {
    const room = await AskedRoom.of(new Story("11"));
    expect(await refusal((await room.ask()).isServerAllowed("!no:room", "a.example"))).toEqual(notFound);
  });
});
