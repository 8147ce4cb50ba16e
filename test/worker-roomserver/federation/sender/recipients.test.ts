import { describe, expect, test, vi } from "vitest";
import type { JsonObject } from "../../../../src/matrix/json.ts";
import { membership } from "./support/remote-events.ts";
import { type Rig, senderRig } from "./support/rig.ts";

const BOB = "@bob:one.example";
const CAROL = "@carol:two.example";

/** Types of the events that a server has been sent, with the membership of member events. */
const kinds = ({ servers }: Rig, server: string) =>
  (servers.taken.get(server) ?? [])
    .flatMap(({ pdus }) => pdus)
    .map(({ type, content }) => String((content as JsonObject).membership ?? type));

/** Waits until a server has got an event with this text, and so all before. */
const hasHeard = (rig: Rig, server: string, body: string) =>
  vi.waitFor(() => expect(rig.servers.messages(server)).toContain(body));

/** A room of Alice's with members of two other servers, and a sender that follows. */
async function shared() {
  const rig = await senderRig();
  await rig.sender.start();
  const roomId = await rig.create();
  await rig.joins(roomId, BOB);
  await rig.joins(roomId, CAROL);
  return { rig, roomId };
}

describe("an event is sent to", () => {
  test("the servers that were in the room then, and not to those that came later", async () => {
    const rig = await senderRig();
    const roomId = await rig.create();
    await rig.say(roomId, "nobody");
    await rig.joins(roomId, BOB);
    await rig.say(roomId, "one");
    await rig.joins(roomId, CAROL);
    await rig.say(roomId, "both");
    // It reads all that only when all has happened.
    await rig.sender.start();
    await hasHeard(rig, "one.example", "both");
    await hasHeard(rig, "two.example", "both");
    expect(rig.servers.messages("one.example")).toEqual(["one", "both"]);
    expect(rig.servers.messages("two.example")).toEqual(["both"]);
    expect(kinds(rig, "one.example")).toEqual(["m.room.message", "m.room.message"]);
  });

  test("a server that leaves with it, and no more after that", async () => {
    const { rig, roomId } = await shared();
    await rig.act(roomId, "kick", BOB);
    await rig.say(roomId, "bob is gone");
    await hasHeard(rig, "two.example", "bob is gone");
    await vi.waitFor(() => expect(kinds(rig, "one.example")).toEqual(["leave"]));
    expect(kinds(rig, "two.example")).toEqual(["leave", "m.room.message"]);
  });

  test("a server as long as any of its users is there", async () => {
    const { rig, roomId } = await shared();
    await rig.joins(roomId, "@second:one.example");
    await rig.act(roomId, "ban", BOB);
    await rig.say(roomId, "still");
    await hasHeard(rig, "one.example", "still");
  });

  test("the server of somebody whose invite is taken back, though nobody of it is there", async () => {
    const { rig, roomId } = await shared();
    await rig.comesIn(roomId, membership("@dora:three.example", "invite", rig.alice.userId));
    await rig.act(roomId, "kick", "@dora:three.example");
    await vi.waitFor(() => expect(kinds(rig, "three.example")).toEqual(["leave"]));
    expect(kinds(rig, "one.example")).toEqual(["invite", "leave"]);
  });

  test("nobody whom the room's access control list shuts out", async () => {
    const { rig, roomId } = await shared();
    await rig.setState(roomId, "m.room.server_acl", { allow: ["*"], deny: ["one.*"] });
    await rig.say(roomId, "without one");
    await hasHeard(rig, "two.example", "without one");
    expect(rig.servers.asked.has("one.example")).toBe(false);
  });

  test("nobody when it is of another server's user", async () => {
    const { rig, roomId } = await shared();
    await rig.comesIn(roomId, { type: "m.room.message", sender: BOB, content: { body: "bob's" } });
    await rig.say(roomId, "alice's");
    await hasHeard(rig, "two.example", "alice's");
    expect(rig.servers.messages("two.example")).toEqual(["alice's"]);
  });

  test("all but its own server when it came to be passed on", async () => {
    const { rig, roomId } = await shared();
    await rig.joins(roomId, "@dora:three.example", { passOn: true });
    await rig.say(roomId, "hello dora");
    for (const server of ["one.example", "two.example", "three.example"]) {
      await hasHeard(rig, server, "hello dora");
    }
    expect(kinds(rig, "one.example")).toEqual(["join", "m.room.message"]);
    expect(kinds(rig, "two.example")).toEqual(["join", "m.room.message"]);
    expect(kinds(rig, "three.example")).toEqual(["m.room.message"]);
  });

  test("nobody when it has joined this server to the room: another one has told them", async () => {
    const { rig, roomId } = await shared();
    await rig.act(roomId, "leave", rig.alice.userId);
    // Nobody from here is in the room; the join comes by way of another server.
    await rig.comesIn(roomId, membership(rig.alice.userId, "join"));
    await rig.say(roomId, "back");
    await hasHeard(rig, "one.example", "back");
    expect(kinds(rig, "one.example")).toEqual(["leave", "m.room.message"]);
  });
});
