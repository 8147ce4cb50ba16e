import { describe, expect, test, vi } from "vitest";
import type { OpenNode } from "../../../src/worker-roomserver/node/node.ts";
import type { Requester } from "../../../src/worker-roomserver/node/requester.ts";
import { registerAt, testNode } from "../support/node.ts";
import { diesAfterNextUnit, until } from "../support/rounds.ts";

const request = () => crypto.randomUUID();

const makeRoom = async (node: OpenNode, who: Requester, body: object = {}) => {
  // The id of a room is a hash of its creation: two of the same millisecond have to differ in something.
  const creation_content = { "org.example.unique": request(), ...body };
  return (await node.room.createRoom(request(), who, { preset: "public_chat", creation_content })).room_id;
};

const act = (node: OpenNode, who: Requester, roomId: string, action: "join" | "leave") =>
  node.room.changeMembership(request(), who, { roomId, action, target: who.userId });

const upgrade = async (node: OpenNode, who: Requester, roomId: string) =>
  (await node.room.upgrade(request(), who, { roomId, newVersion: "12" })).replacement_room;

const tag = (node: OpenNode, who: Requester, roomId: string, name = "u.x") =>
  node.accountData.setTag(who, who.userId, roomId, name, { order: 0.5 });

const tagsOf = async (node: OpenNode, who: Requester, roomId: string) =>
  Object.keys((await node.accountData.tags(who, who.userId, roomId)).tags);

/** Once the joins up to here have been followed, which the reader notes in a unit that nobody waits for. */
async function followed(node: OpenNode): Promise<void> {
  const { position } = node.storage;
  const reached = async () => {
    await node.storage.flushed();
    return ((await node.storage.get("readers", "upgrades")) ?? 0) >= position;
  };
  await until(reached);
}

/** Alice's room with bob, and what bob has set for it. */
async function withSettings(name?: string) {
  const node = await testNode(name);
  const [alice, bob] = [await registerAt(node, "alice"), await registerAt(node, "bob")];
  const roomId = await makeRoom(node, alice);
  await act(node, bob, roomId, "join");
  await tag(node, bob, roomId);
  const direct = { [alice.userId]: [roomId] };
  await node.accountData.set(bob, bob.userId, null, "m.direct", direct);
  return { node, alice, bob, roomId };
}

describe("a room that was upgraded", () => {
  test("hands tags and direct chats on to who joins the new one, and to who upgraded it", async () => {
    const { node, alice, bob, roomId } = await withSettings();
    await tag(node, alice, roomId, "u.alice");
    const replacement = await upgrade(node, alice, roomId);
    await until(async () => (await tagsOf(node, alice, replacement)).length > 0);
    expect(await tagsOf(node, alice, replacement)).toEqual(["u.alice"]);
    expect(await tagsOf(node, bob, replacement)).toEqual([]);
    await act(node, bob, replacement, "join");
    await followed(node);
    expect(await tagsOf(node, bob, replacement)).toEqual(["u.x"]);
    expect(await node.accountData.get(bob, bob.userId, null, "m.direct")).toEqual({
      [alice.userId]: [roomId, replacement],
    });
    expect(await tagsOf(node, bob, roomId)).toEqual(["u.x"]);
  });

  test("leaves alone what has been set in the new one, also when somebody comes a second time", async () => {
    const { node, alice, bob, roomId } = await withSettings();
    const replacement = await upgrade(node, alice, roomId);
    await act(node, bob, replacement, "join");
    await followed(node);
    await node.accountData.deleteTag(bob, bob.userId, replacement, "u.x");
    await act(node, bob, replacement, "leave");
    await act(node, bob, replacement, "join");
    await followed(node);
    expect(await tagsOf(node, bob, replacement)).toEqual([]);
  });

  test("is not believed to be one by who only says so", async () => {
    const { node, alice, bob, roomId } = await withSettings();
    const pretender = await makeRoom(node, alice, { predecessor: { room_id: roomId } });
    await act(node, bob, pretender, "join");
    const orphan = await makeRoom(node, alice, { predecessor: { room_id: "!nowhere:example.org" } });
    await act(node, bob, orphan, "join");
    await followed(node);
    expect(await tagsOf(node, bob, pretender)).toEqual([]);
    expect(await tagsOf(node, bob, orphan)).toEqual([]);
  });

  test("hands them on though the leader dies right after the join", async () => {
    const consoleError = vi.spyOn(console, "error").mockImplementation(() => undefined); // of the dead leader
    const name = `test-${crypto.randomUUID()}`;
    const { node, alice, bob, roomId } = await withSettings(name);
    const replacement = await upgrade(node, alice, roomId);
    await followed(node);
    const dead = diesAfterNextUnit(node.storage);
    void act(node, bob, replacement, "join");
    await dead;
    const next = await testNode(name);
    await until(async () => (await tagsOf(next, bob, replacement)).length > 0);
    expect(await tagsOf(next, bob, replacement)).toEqual(["u.x"]);
    consoleError.mockRestore();
  });
});
