import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { JsonObject } from "../../../src/matrix/json.ts";
import type { OpenNode } from "../../../src/worker-roomserver/node/node.ts";
import type { Requester } from "../../../src/worker-roomserver/node/requester.ts";
import { registerAt, testNode } from "../support/node.ts";
import { diesAfterNextUnit, failUnit, until } from "../support/rounds.ts";
import { logAfter } from "../support/storage.ts";

const dbName = () => `test-${crypto.randomUUID()}`;
const request = () => crypto.randomUUID();

const makeRoom = async (node: OpenNode, who: Requester) =>
  (await node.room.createRoom(request(), who, { preset: "private_chat" })).room_id;

const rename = (node: OpenNode, who: Requester, name: string) =>
  node.users.setProfileField(who, who.userId, "displayname", name);

const memberKey = (who: Requester, roomId: string) => ({
  roomId,
  type: "m.room.member",
  stateKey: who.userId,
});

const memberEvent = (node: OpenNode, who: Requester, roomId: string): Promise<JsonObject> =>
  node.room.stateEvent(who, { ...memberKey(who, roomId), format: "content" });

const nameIn = async (node: OpenNode, who: Requester, roomId: string) =>
  (await memberEvent(node, who, roomId)).displayname;

function muteErrors() {
  const consoleError = vi.spyOn(console, "error").mockImplementation(() => undefined);
  onTestFinished(() => consoleError.mockRestore());
  return consoleError;
}

describe("a changed profile", () => {
  test("is in every room that the user is joined to when the change is answered", async () => {
    const node = await testNode();
    const alice = await registerAt(node, "alice");
    const [first, second, left] = [
      await makeRoom(node, alice),
      await makeRoom(node, alice),
      await makeRoom(node, alice),
    ];
    const leave = { roomId: left, action: "leave", target: alice.userId } as const;
    await node.room.changeMembership(request(), alice, leave);
    await rename(node, alice, "Alice");
    await node.users.setProfileField(alice, alice.userId, "avatar_url", "mxc://h/a");
    for (const roomId of [first, second]) {
      expect(await memberEvent(node, alice, roomId)).toEqual({
        membership: "join",
        displayname: "Alice",
        avatar_url: "mxc://h/a",
      });
    }
    expect(await memberEvent(node, alice, left)).toEqual({ membership: "leave" });
  });

  test("makes no event where a member event says it already, or has no place for it", async () => {
    const node = await testNode();
    const alice = await registerAt(node, "alice");
    const roomId = await makeRoom(node, alice);
    await rename(node, alice, "Alicia"); // once this is answered, the reader has nothing left to do
    await node.room.setState(request(), alice, {
      ...memberKey(alice, roomId),
      content: { membership: "join", displayname: "Alice" },
    });
    const { position } = node.storage;
    await rename(node, alice, "Alice");
    await node.users.setProfileField(alice, alice.userId, "m.tz", "Europe/Berlin");
    // Each change is an entry of its own.
    expect(node.storage.position).toBe(position + 2);
  });

  test("reaches the rooms though the leader dies right after it was stored", async () => {
    muteErrors(); // of the dead leader
    const name = dbName();
    const node = await testNode(name);
    const alice = await registerAt(node, "alice");
    const roomId = await makeRoom(node, alice);
    const dead = diesAfterNextUnit(node.storage);
    void rename(node, alice, "Alice");
    await dead;
    expect(await node.users.profile(alice.userId)).toEqual({ displayname: "Alice" });
    expect(await nameIn(node, alice, roomId)).toBe("alice");
    const next = await testNode(name);
    await until(async () => (await nameIn(next, alice, roomId)) === "Alice");
  });

  test("is announced once: what a user says of themselves in a single room outlives the leader", async () => {
    const name = dbName();
    const node = await testNode(name);
    const alice = await registerAt(node, "alice");
    const roomId = await makeRoom(node, alice);
    await rename(node, alice, "Alice");
    const log = await logAfter(node.storage);
    const { position } = log.findLast(({ topic }) => topic === "profile")!;
    await node.room.setState(request(), alice, {
      ...memberKey(alice, roomId),
      content: { membership: "join", displayname: "Mum" },
    });
    // The reader notes how far it has come in a unit that nobody waits for.
    await until(async () => {
      await node.storage.flushed();
      return ((await node.storage.get("readers", "profiles")) ?? 0) >= position;
    });
    const next = await testNode(name);
    // Is answered when all that was in the log before it has been handled.
    await rename(next, await registerAt(next, "bob"), "Bob");
    expect(await nameIn(next, alice, roomId)).toBe("Mum");
  });

  test("reaches all others though one room refuses, which is said once, and later ones reach that, too", async () => {
    const consoleError = muteErrors();
    const node = await testNode();
    const alice = await registerAt(node, "alice");
    const [full, other] = [await makeRoom(node, alice), await makeRoom(node, alice)];
    const longName = "愛".repeat(256);
    // There is room for the rest of an event, but not for that name as well.
    await node.room.setState(request(), alice, {
      ...memberKey(alice, full),
      content: { membership: "join", displayname: "alice", "org.example": "x".repeat(64_400) },
    });
    await rename(node, alice, longName);
    expect(await nameIn(node, alice, other)).toBe(longName);
    expect(await nameIn(node, alice, full)).toBe("alice");
    await rename(node, alice, "Ally");
    expect(await nameIn(node, alice, other)).toBe("Ally");
    expect(await nameIn(node, alice, full)).toBe("Ally");
    expect(consoleError).toHaveBeenCalledOnce();
    expect(String(consoleError.mock.calls[0])).toContain(alice.userId);
  });

  test("waits in the log while the disk takes no member event, and the change is answered all the same", async () => {
    muteErrors();
    const node = await testNode();
    const alice = await registerAt(node, "alice");
    const bob = await registerAt(node, "bob");
    const roomId = await makeRoom(node, alice);
    let isFull = true;
    let tries = 0;
    const commit = node.storage.commit.bind(node.storage);
    node.storage.commit = (fill, options) =>
      commit((write) => {
        const filled = fill(write);
        // Only what writes to rooms names its basis.
        if (isFull && options?.basis !== undefined) {
          tries += 1;
          failUnit(write);
        }
        return filled;
      }, options);
    await rename(node, alice, "Alice");
    expect(await nameIn(node, alice, roomId)).toBe("alice");
    expect(tries).toBe(2);
    isFull = false;
    await rename(node, bob, "Bob");
    expect(await nameIn(node, alice, roomId)).toBe("Alice");
  });
});
