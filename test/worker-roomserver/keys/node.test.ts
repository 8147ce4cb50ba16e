import { expect, test } from "vitest";
import { cryptoDevice } from "../support/crypto-device.ts";
import { registerAt, testNode } from "../support/node.ts";
import { json } from "../support/room.ts";

type Told = {
  next_batch: string;
  device_lists: { changed: string[]; left: string[] };
  device_one_time_keys_count: Record<string, number>;
  device_unused_fallback_key_types: string[];
};

test("two clients meet in a room: each learns of the other's devices, and of what is left of its own keys", async () => {
  const node = await testNode();
  const [alice, bob] = [await registerAt(node, "alice"), await registerAt(node, "bob")];
  const request = () => crypto.randomUUID();
  const sync = async (who: typeof alice, since?: string, timeout = 0): Promise<Told> => {
    const query = {
      since,
      fullState: false,
      setPresence: "offline",
      timeout,
      stateSection: "state",
    } as const;
    return json(await node.sync.sync(who, query, request())) as unknown as Told;
  };
  const device = await cryptoDevice(bob.userId, bob.deviceId);
  await node.keys.upload(bob, {
    device_keys: device.deviceKeys,
    one_time_keys: await device.oneTimeKeys(2),
    fallback_keys: await device.fallbackKey(),
  });
  const alices = await sync(alice);
  expect(alices.device_one_time_keys_count).toEqual({ signed_curve25519: 0 });
  const bobs = await sync(bob);
  expect(bobs.device_one_time_keys_count).toEqual({ signed_curve25519: 2 });
  expect(bobs.device_unused_fallback_key_types).toEqual(["signed_curve25519"]);

  const { room_id } = await node.room.createRoom(request(), alice, { preset: "public_chat" });
  await node.room.changeMembership(request(), bob, { roomId: room_id, action: "join", target: bob.userId });
  const met = await sync(alice, alices.next_batch);
  expect(met.device_lists).toEqual({ changed: [bob.userId], left: [] });
  expect((await sync(bob, bobs.next_batch)).device_lists).toEqual({ changed: [alice.userId], left: [] });

  // A claim ends bob's wait, and says what is left.
  const before = await sync(bob, bobs.next_batch);
  const waiting = sync(bob, before.next_batch, 3_600_000);
  const wanted = { [bob.userId]: { [bob.deviceId]: "signed_curve25519" } };
  expect((await node.keys.claim(request(), wanted)).one_time_keys).toHaveProperty([bob.userId]);
  expect((await waiting).device_one_time_keys_count).toEqual({ signed_curve25519: 1 });

  // Bob's device goes, and then bob.
  const known = await sync(alice, met.next_batch);
  const looking = sync(alice, known.next_batch, 3_600_000);
  await node.users.logout(bob);
  const gone = await looking;
  expect(gone.device_lists).toEqual({ changed: [bob.userId], left: [] });
  expect((await node.keys.query(alice, { [bob.userId]: [] })).device_keys).toEqual({ [bob.userId]: {} });
  await node.room.changeMembership(request(), bob, { roomId: room_id, action: "leave", target: bob.userId });
  expect((await sync(alice, gone.next_batch)).device_lists).toEqual({ changed: [], left: [bob.userId] });
});
