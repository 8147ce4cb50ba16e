import { describe, expect, test } from "vitest";
import type { UserId } from "../../../../src/matrix/identifiers.ts";
import type { JsonObject } from "../../../../src/matrix/json.ts";
import type { Requester } from "../../../../src/worker-roomserver/node/requester.ts";
import { OutOfBand } from "../../../../src/worker-roomserver/room/out-of-band/out-of-band.ts";
import { forget } from "../../../../src/worker-roomserver/room/perform/forget.ts";
import { logAfter } from "../../support/storage.ts";
import { opening, ToldRoom } from "../input/told-room.ts";

const dora = "@dora:d.example";
const emil = "@emil:d.example";
const told: JsonObject[] = [
  { type: "m.room.name", state_key: "", sender: "@alice:a.example", content: { name: "Far" } },
  { type: "m.room.member", state_key: "@alice:a.example", sender: "@alice:a.example", content: {} },
];

/** A room of which the server of dora and emil knows nothing; they are invited, and dora knocks as well. */
async function farRoom(version = "10"): Promise<ToldRoom> {
  const room = await ToldRoom.of(version, "d.example");
  const { story } = room;
  story.member("dora", "@alice:a.example", "invite", { of: dora });
  story.member("emil", "@bob:b.example", "invite", { of: emil });
  story.member("dora out", "@alice:a.example", "leave", { of: dora });
  story.member("knock", dora, "knock");
  return room;
}

const outOfBand = (room: ToldRoom) => room.server.parts.outOfBand;
const invite = (room: ToldRoom, name: string) =>
  outOfBand(room).addInvite({
    ...{ roomVersion: room.story.rules.id, event: room.received(name), strippedState: told },
  });
const membership = async (room: ToldRoom, userId: string) => {
  const infos = await room.server.rooms.membershipsOf(userId);
  return infos.find(({ roomId }) => roomId === room.roomId);
};
const rows = async (room: ToldRoom) => {
  await room.server.storage.flushed();
  const events = await room.server.storage.getAll("events");
  return events.filter(({ k }) => k !== undefined).map(({ id }) => id);
};
const names = async (room: ToldRoom, userId: string) => {
  const nid = await room.nid();
  return (await room.server.rooms.strippedState(nid, userId)).map(({ type, state_key: key }) => [type, key]);
};

describe("an invite without its room", () => {
  test.each(["2", "10", "12"])("is a membership like others, in version %s", async (version) => {
    const room = await farRoom(version);
    const before = room.server.storage.position;
    expect(await invite(room, "dora")).toBe(true);
    for (const now of [room, await room.reopened()]) {
      const info = await membership(now, dora);
      expect(info).toMatchObject({
        membership: "invite",
        outOfBand: true,
        since: before + 1,
        forgotten: false,
      });
      const [event] = await now.server.rooms.events([info!.event]);
      expect(event).toMatchObject({ eventId: room.id("dora"), order: before + 1, isOutOfBand: true });
      expect(await names(now, dora)).toEqual([
        ["m.room.name", ""],
        ["m.room.member", "@alice:a.example"],
        ["m.room.member", dora],
      ]);
      expect(await outOfBand(now).find(room.roomId, dora)).toMatchObject({
        ...{ membership: "invite", roomVersion: version, event: { eventId: room.id("dora") } },
      });
      // As an event of a room it is not known: nobody has judged it.
      expect(await now.server.rooms.eventById(room.id("dora"))).toBeUndefined();
      expect(await outOfBand(now).isInRoom(room.roomId)).toBe(false);
    }
    expect(await logAfter(room.server.storage, before)).toMatchObject([{ topic: "room", detail: "" }]);
  });

  test("is the same when it comes again", async () => {
    const room = await farRoom();
    const both = await Promise.all([invite(room, "dora"), invite(room, "dora")]);
    expect(both).toEqual([true, true]);
    const { position } = room.server.storage;
    expect(await invite(await room.reopened(), "dora")).toBe(true);
    expect(room.server.storage.position).toBe(position);
    expect(await rows(room)).toHaveLength(1);
  });

  test("comes after a knock, whose place it takes", async () => {
    const room = await farRoom();
    const event = room.received("knock");
    await outOfBand(room).addKnock({ roomVersion: "10", event, strippedState: [] });
    expect(await membership(room, dora)).toMatchObject({ membership: "knock", outOfBand: true });
    await invite(room, "dora");
    expect(await membership(room, dora)).toMatchObject({ membership: "invite", outOfBand: true });
    expect(await rows(room)).toEqual([`~${room.id("dora")}`]);
  });

  test("is one of only so many that a user has", async () => {
    const room = await farRoom();
    const few = new OutOfBand(room.server.parts, 1);
    const given = (event: ReturnType<ToldRoom["received"]>) =>
      few.addInvite({ roomVersion: "10", event, strippedState: [] });
    await given(room.received("dora"));
    const other = await farRoom("12");
    await expect(given(other.received("dora"))).rejects.toMatchObject({
      errcode: "M_LIMIT_EXCEEDED",
      status: 429,
    });
    await given(other.received("emil"));
    await few.endOutOfBand(room.roomId, dora);
    await given(other.received("dora"));
  });

  test("tells no more of the room than there is room for, and nothing that has no form", async () => {
    const room = await farRoom();
    const base = { state_key: "", sender: "@alice:a.example" };
    await outOfBand(room).addInvite({
      ...{ roomVersion: "10", event: room.received("dora") },
      strippedState: [
        { ...base, type: "m.room.topic", content: { topic: "x".repeat(70_000) } },
        { ...base, type: "m.room.name", content: { name: "Far" }, signatures: {}, hashes: {} },
        { ...base, type: "m.room.avatar", content: [] },
        { ...base, type: "m.room.encryption", content: {}, sender: 7 },
        { ...base, type: "org.example.else", content: {} },
        { type: "m.room.member", state_key: "@bob:b.example", sender: "@bob:b.example", content: {} },
      ],
    });
    const state = await room.server.rooms.strippedState(await room.nid(), dora);
    expect(state[0]).toEqual({ ...base, type: "m.room.name", content: { name: "Far" } });
    expect(state).toHaveLength(2);
  });
});

describe("it ends", () => {
  test("with an event that this server alone knows", async () => {
    const room = await farRoom();
    await invite(room, "dora");
    expect(await outOfBand(room).endOutOfBand(room.roomId, dora)).toBe(true);
    const info = await membership(room, dora);
    const [event] = await room.server.rooms.events([info!.event]);
    expect(info).toMatchObject({ membership: "leave", outOfBand: true });
    expect(event!.pdu).toMatchObject({ sender: dora, state_key: dora, content: { membership: "leave" } });
    expect(await rows(room)).toEqual([`~${event!.eventId}`]);
    expect(await outOfBand(room).endOutOfBand(room.roomId, dora)).toBe(false);
    expect(await outOfBand(room).endOutOfBand(room.roomId, emil)).toBe(false);

    const requester: Requester = { userId: dora as UserId, kind: "user", admin: false };
    await forget(room.server.parts, requester, room.roomId);
    expect(await membership(await room.reopened(), dora)).toMatchObject({ forgotten: true, outOfBand: true });
    await invite(room, "dora");
    expect(await membership(room, dora)).toMatchObject({ membership: "invite", forgotten: false });
  });

  test("by who has invited, with the event that names the invite", async () => {
    const room = await farRoom();
    await invite(room, "dora");
    const { story } = room;
    story.member("by bob", "@bob:b.example", "leave", { of: dora, after: ["emil"] });
    story.member("of another", "@alice:a.example", "leave", { of: emil, after: ["emil"] });
    story.member("uncited", "@alice:a.example", "leave", {
      of: dora,
      after: ["emil"],
      auth: ["alice"],
    });
    story.message("talk", "@alice:a.example");
    for (const name of ["by bob", "of another", "uncited", "talk", "knock"]) {
      expect([name, await outOfBand(room).rescinded(room.received(name))]).toEqual([name, false]);
    }
    expect(await membership(room, dora)).toMatchObject({ membership: "invite" });
    expect(await outOfBand(room).rescinded(room.received("dora out"))).toBe(true);
    const info = await membership(room, dora);
    expect(info).toMatchObject({ membership: "leave", outOfBand: true });
    expect((await room.server.rooms.events([info!.event]))[0]!.eventId).toBe(room.id("dora out"));
    expect(await outOfBand(room).rescinded(room.received("dora out"))).toBe(false);
  });

  test("of a knock by anybody who knows it", async () => {
    const room = await farRoom();
    room.story.member("refused", "@bob:b.example", "ban", {
      ...{ of: dora, after: ["knock"], auth: ["levels", "bob", "knock"] },
    });
    const event = room.received("knock");
    await outOfBand(room).addKnock({ roomVersion: "10", event, strippedState: [] });
    expect(await outOfBand(room).rescinded(room.received("refused"))).toBe(true);
    expect(await membership(room, dora)).toMatchObject({ membership: "ban" });
  });
});

describe("when somebody from here joins", () => {
  test.each(["10", "12"])("what the room says takes its place, in version %s", async (version) => {
    const far = await farRoom(version);
    await invite(far, "dora");
    await invite(far, "emil");
    // With nothing in memory.
    const room = await far.reopened();
    room.story.member("frida", "@frida:d.example", "join", { after: ["emil"] });
    const auth = ["alice", "levels", "public"];
    room.story.member("emil again", "@alice:a.example", "invite", { of: emil, auth });
    expect(await room.takeIn("frida", [...opening, "dora"], opening)).toMatchObject({ outcome: "accepted" });
    const next = await room.reopened();
    for (const now of [room, next]) {
      const info = await membership(now, dora);
      expect(info).toMatchObject({ membership: "invite" });
      expect(info!.outOfBand).toBeUndefined();
      expect((await now.server.rooms.events([info!.event]))[0]).toMatchObject({ eventId: room.id("dora") });
      expect((await now.stored("dora"))?.isOutOfBand).toBeUndefined();
      expect((await names(now, dora)).length).toBeGreaterThan(0);
      // Of whom the answer said nothing: what came to them stands.
      expect(await membership(now, emil)).toMatchObject({ membership: "invite", outOfBand: true });
    }
    expect(await rows(next)).toEqual([`~${room.id("emil")}`]);
    // It is one to the room by now.
    expect(await invite(next, "emil")).toBe(false);
    expect(await next.outcomes(["emil again"])).toEqual(["accepted"]);
    expect((await membership(next, emil))!.outOfBand).toBeUndefined();
    expect(await rows(next)).toEqual([]);
  });

  test("an invite that nobody was allowed to make gets nobody in", async () => {
    const room = await farRoom();
    room.story.member("forged", "@mallory:m.example", "invite", { of: dora, after: ["carol"] });
    await invite(room, "forged");
    room.story.member("frida", "@frida:d.example", "join", { after: ["carol"] });
    expect(await room.takeIn("frida", [...opening, "forged"], opening)).toMatchObject({
      outcome: "accepted",
    });
    const state = await room.server.rooms.stateOf((await room.stored("frida"))!.stateAfter, "members");
    const members = await room.server.rooms.events(state);
    expect(members.map(({ pdu }) => pdu.state_key)).not.toContain(dora);
    expect(await membership(room, dora)).toMatchObject({ outOfBand: true });
  });
});

test("in a room that all from here have left, it changes nothing of what is known of the room", async () => {
  const room = await ToldRoom.of("10", "d.example");
  const { story } = room;
  story.member("dora in", dora, "join");
  story.member("dora out", dora, "leave");
  story.message("later", "@alice:a.example");
  story.member("dora", "@alice:a.example", "invite", { of: dora });
  story.member("dora back", dora, "join");
  await room.open();
  await room.receive(["dora in", "dora out"]);
  const { rooms, storage } = room.server;
  const nid = await room.nid();
  const state = await rooms.snapshotAt(nid, storage.position);
  expect(await invite(room, "dora")).toBe(true);
  const next = await room.reopened();
  for (const now of [room, next]) {
    expect(await now.server.rooms.snapshotAt(nid, storage.position)).toBe(state);
    expect((await now.events()).map(({ eventId }) => eventId)).not.toContain(room.id("dora"));
    expect(await membership(now, dora)).toMatchObject({ membership: "invite", outOfBand: true });
  }
  const verdict = await next.takeIn("dora back", [...opening, "dora"], [...opening, "dora"]);
  expect(verdict).toMatchObject({ outcome: "accepted" });
  expect((await membership(next, dora))!).toMatchObject({ membership: "join" });
  expect(await rows(next)).toEqual([]);
});
