import { expect, test, vi } from "vitest";
import type { OpenNode } from "../../../../src/worker-roomserver/node/node.ts";
import type { DeviceRequester } from "../../../../src/worker-roomserver/node/requester.ts";
import { MEMBERSHIPS } from "../../../../src/worker-roomserver/storage/schema.ts";
import { registerAt } from "../../support/node.ts";
import { json } from "../../support/room.ts";
import { type FederatedNode, federatedNode } from "../support/federated-node.ts";
import { TestNetwork } from "../support/network.ts";
import { act, joinedMembers, joinedRooms, refusal } from "./joining.ts";

type Side = { home: FederatedNode; node: OpenNode; user: DeviceRequester };

/** Two nodes on one network, with a user each. */
async function pair(): Promise<{ network: TestNetwork; here: Side; there: Side }> {
  const network = new TestNetwork();
  const side = async (name: string): Promise<Side> => {
    const home = await federatedNode(network);
    return { home, node: home.node, user: await registerAt(home.node, name) };
  };
  return { network, here: await side("alice"), there: await side("bob") };
}

const query = { setPresence: "offline", stateSection: "state" } as const;

/** In which section of a sync the room is. */
async function membership({ node, user }: Side, roomId: string): Promise<string | undefined> {
  if ((await joinedRooms(node, user)).includes(roomId)) return "join";
  const { rooms } = json(
    await node.sync.sync(user, { ...query, timeout: 0, fullState: true }, "test"),
  ) as unknown as {
    rooms?: Record<string, Record<string, unknown>>;
  };
  return ["invite", "knock", "leave"].find((section) => rooms?.[section]?.[roomId] !== undefined);
}

test.each(["1", "6", "10", "11", "12"])(
  "a room of version %s is joined from one node to the other",
  async (version) => {
    const { here, there } = await pair();
    const room = { preset: "public_chat", room_version: version } as const;
    const { room_id: roomId } = await there.node.room.createRoom("c", there.user, room);
    await act(here.node, here.user, "join", roomId, { servers: [there.home.serverName] });
    const members = [here.user.userId, there.user.userId].sort();
    expect(await joinedMembers(here.node, here.user, roomId)).toEqual(members);
    expect(await joinedMembers(there.node, there.user, roomId)).toEqual(members);
  },
);

test("who is invited joins by that invite, without any other hint", async () => {
  const { here, there } = await pair();
  const { room_id: roomId } = await there.node.room.createRoom("c", there.user, {
    ...{ preset: "private_chat", invite: [here.user.userId], name: "Secret" },
  });
  expect(await membership(here, roomId)).toBe("invite");
  await act(here.node, here.user, "join", roomId);
  expect(await joinedRooms(here.node, here.user)).toEqual([roomId]);
  expect(await joinedMembers(there.node, there.user, roomId)).toHaveLength(2);
});

test("who is not invited is told why", async () => {
  const { here, there } = await pair();
  const { room_id: roomId } = await there.node.room.createRoom("c", there.user, { preset: "private_chat" });
  const joining = act(here.node, here.user, "join", roomId, { servers: [there.home.serverName] });
  expect(await refusal(joining)).toMatchObject({ status: 403, errcode: "M_FORBIDDEN" });
});

test("an invite is declined at the server that it came from", async () => {
  const { here, there } = await pair();
  const { room_id: roomId } = await there.node.room.createRoom("c", there.user, {
    invite: [here.user.userId],
  });
  await act(here.node, here.user, "leave", roomId, { reason: "no time" });
  expect(await membership(here, roomId)).not.toBe("invite");
  const key = { roomId, type: "m.room.member", stateKey: here.user.userId, format: "content" } as const;
  expect(await there.node.room.stateEvent(there.user, key)).toEqual({
    membership: "leave",
    reason: "no time",
  });
});

test("an invite of a server that is gone is got rid of all the same", async () => {
  const warn = vi.spyOn(console, "warn").mockImplementation(() => undefined);
  const { here, there } = await pair();
  const { room_id: roomId } = await there.node.room.createRoom("c", there.user, {
    invite: [here.user.userId],
  });
  await there.home.close();
  await act(here.node, here.user, "leave", roomId);
  expect(await membership(here, roomId)).not.toBe("invite");
  expect(warn).toHaveBeenCalledOnce();
  warn.mockRestore();
});

test("a knock is taken by a server in the room, stands once, and is taken back", async () => {
  const { network, here, there } = await pair();
  const { room_id: roomId } = await there.node.room.createRoom("c", there.user, {
    ...{ name: "Door", initial_state: [{ type: "m.room.join_rules", content: { join_rule: "knock" } }] },
  });
  const servers = [there.home.serverName];
  await act(here.node, here.user, "knock", roomId, { servers, reason: "please" });
  await act(here.node, here.user, "knock", roomId, { servers });
  expect(network.carried.filter(({ uri }) => uri.includes("/send_knock/"))).toHaveLength(1);
  expect(await membership(here, roomId)).toBe("knock");
  const key = { roomId, type: "m.room.member", stateKey: here.user.userId, format: "content" } as const;
  const content = { membership: "knock", reason: "please", displayname: "alice" };
  expect(await there.node.room.stateEvent(there.user, key)).toEqual(content);
  await act(here.node, here.user, "leave", roomId);
  expect(await membership(here, roomId)).not.toBe("knock");
  expect(await there.node.room.stateEvent(there.user, key)).toEqual({ membership: "leave" });
});

test("a room that does not take knocks says so", async () => {
  const { here, there } = await pair();
  const { room_id: roomId } = await there.node.room.createRoom("c", there.user, { preset: "private_chat" });
  const knocking = act(here.node, here.user, "knock", roomId, { servers: [there.home.serverName] });
  expect(await refusal(knocking)).toMatchObject({ status: 403, errcode: "M_FORBIDDEN" });
});

test("a restricted room is joined through a server that knows who is in the other", async () => {
  const { network, here, there } = await pair();
  const create = async (body: object) =>
    (await there.node.room.createRoom(crypto.randomUUID(), there.user, body)).room_id;
  const [space, other] = [await create({ preset: "public_chat" }), await create({ preset: "public_chat" })];
  const allow = [space, other].map((room_id) => ({ type: "m.room_membership", room_id }));
  const roomId = await create({
    initial_state: [{ type: "m.room.join_rules", content: { join_rule: "restricted", allow } }],
    power_level_content_override: { invite: 50 },
  });
  const servers = [there.home.serverName];
  expect(await refusal(act(here.node, here.user, "join", roomId, { servers }))).toMatchObject({
    status: 403,
  });
  await act(here.node, here.user, "join", space, { servers });
  await act(here.node, here.user, "join", roomId, { servers });
  expect(await joinedMembers(here.node, here.user, roomId)).toHaveLength(2);
  // The room is here by now, and nobody from here may invite to it.
  const carol = await registerAt(here.node, "carol");
  await act(here.node, carol, "join", other, { servers });
  await act(here.node, carol, "join", roomId);
  expect(network.carried.filter(({ uri }) => uri.includes("/send_join/"))).toHaveLength(4);
  expect(await joinedMembers(there.node, there.user, roomId)).toHaveLength(3);
  expect(await joinedMembers(here.node, here.user, roomId)).toHaveLength(3);
});

test("an account that is closed leaves rooms and invites without waiting for others", async () => {
  const { network, here, there } = await pair();
  const { room_id: roomId } = await there.node.room.createRoom("c", there.user, {
    invite: [here.user.userId],
  });
  await there.home.close();
  const before = network.carried.length;
  const identifier = { type: "m.id.user", user: here.user.userId };
  const auth = { type: "m.login.password", identifier, password: "correct horse battery" };
  const { node, user } = here;
  const done = await node.users.deactivate("d", user, { auth });
  expect(done).toEqual({ id_server_unbind_result: "success" });
  const row = await vi.waitFor(async () => {
    const [only] = await node.storage.getAll("memberships");
    expect(MEMBERSHIPS[only!.m]).toBe("leave");
    return only;
  });
  expect(roomId).toBe(await node.storage.names.text(row!.r));
  expect(network.carried).toHaveLength(before);
});
