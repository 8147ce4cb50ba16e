import { describe, expect, test, vi } from "vitest";
import type { DeviceRequester } from "../../../../src/worker-roomserver/node/requester.ts";
import { type CryptoDevice, crossSigner, cryptoDevice } from "../../support/crypto-device.ts";
import { registerAt } from "../../support/node.ts";
import { json } from "../../support/room.ts";
import { TestNetwork } from "../support/network.ts";
import { type EduNode, eduNode } from "./support/edu-node.ts";
import { joinAt, leave, publicRoom } from "./support/shared-room.ts";

type Told = {
  next_batch: string;
  device_lists: { changed: string[]; left: string[] };
  to_device?: { events: unknown[] };
};

const request = () => crypto.randomUUID();

async function sync({ node }: EduNode, who: DeviceRequester, since?: string): Promise<Told> {
  const query = {
    since,
    fullState: false,
    setPresence: "offline",
    timeout: 0,
    stateSection: "state",
  } as const;
  return json(await node.sync.sync(who, query, request())) as unknown as Told;
}

async function publish({ node }: EduNode, who: DeviceRequester): Promise<CryptoDevice> {
  const device = await cryptoDevice(who.userId, who.deviceId);
  await node.keys.upload(who, {
    device_keys: device.deviceKeys,
    one_time_keys: await device.oneTimeKeys(2),
  });
  return device;
}

/** Another device of somebody, whose keys are there. */
async function addDevice(home: EduNode, { userId }: DeviceRequester): Promise<DeviceRequester> {
  const body = {
    type: "m.login.password",
    identifier: { type: "m.id.user", user: userId },
    password: "correct horse battery",
  };
  const { access_token: token } = await home.node.users.login(request(), body);
  const { requester } = await home.node.users.authenticate(token!);
  const device = requester as DeviceRequester;
  await publish(home, device);
  return device;
}

/** Alice at one node and bob at another, with keys, in a room that lives at alice's. */
async function twoNodes() {
  const network = new TestNetwork();
  const [here, there] = [await eduNode(network), await eduNode(network)];
  const [alice, bob] = [await registerAt(here.node, "alice"), await registerAt(there.node, "bob")];
  await publish(here, alice);
  await publish(there, bob);
  const roomId = await publicRoom(alice, here);
  const asked = (uri: string) => network.carried.filter((request) => request.uri.includes(uri)).length;
  return { network, here, there, alice, bob, roomId, asked };
}

async function together() {
  const two = await twoNodes();
  await joinAt(two.here, two.roomId, two.bob, two.there);
  await two.here.carry();
  await two.there.carry();
  return two;
}

describe("what an encrypted room needs", () => {
  test("devices are found, a key is claimed once, and a message to a device comes once", async () => {
    const { here, there, alice, bob, asked } = await together();
    const { device_keys, failures } = await here.node.keys.query(alice, { [bob.userId]: [] });
    expect(failures).toEqual({});
    expect(device_keys[bob.userId]).toEqual({
      [bob.deviceId]: expect.objectContaining({ user_id: bob.userId, device_id: bob.deviceId }),
    });
    // Once it is known, nobody is asked.
    const before = asked("/user/");
    expect((await here.node.keys.query(alice, { [bob.userId]: [] })).device_keys).toEqual(device_keys);
    expect(asked("/user/")).toBe(before);

    const id = request();
    const wanted = { [bob.userId]: { [bob.deviceId]: "signed_curve25519" } };
    const claimed = await here.node.keys.claim(id, wanted);
    expect(Object.keys(claimed.one_time_keys[bob.userId]![bob.deviceId]!)).toHaveLength(1);
    expect(await here.node.keys.claim(id, wanted)).toEqual(claimed);
    expect(asked("/user/keys/claim")).toBe(1);

    const start = await sync(there, bob);
    const messages = { [bob.userId]: { [bob.deviceId]: { n: 1 } } };
    await here.node.toDevice.send(alice, { eventType: "m.room.encrypted", txnId: "1", messages });
    await here.carry();
    const [edu] = there.received.filter(({ edu_type }) => edu_type === "m.direct_to_device");
    await there.edus.take(here.serverName, edu!);
    const got = await sync(there, bob, start.next_batch);
    const event = { type: "m.room.encrypted", sender: alice.userId, content: { n: 1 } };
    expect(got.to_device?.events).toEqual([event]);
    await here.carry();
    expect(there.received.filter(({ edu_type }) => edu_type === "m.direct_to_device")).toHaveLength(1);
  });

  test("a new device is told of and taken in without asking, once the list is known", async () => {
    const { here, there, alice, bob, asked } = await together();
    await here.node.keys.query(alice, { [bob.userId]: [] });
    const known = await sync(here, alice);
    const second = await addDevice(there, bob);
    await there.carry();
    // Where the list stood was not said when it was looked up: now it is asked for.
    await vi.waitFor(() => expect(asked("/user/devices/")).toBe(1));
    await vi.waitFor(async () => {
      const found = await here.node.keys.query(alice, { [bob.userId]: [] });
      expect(Object.keys(found.device_keys[bob.userId]!).sort()).toEqual(
        [bob.deviceId, second.deviceId].sort(),
      );
    });
    const told = await sync(here, alice, known.next_batch);
    expect(told.device_lists).toEqual({ changed: [bob.userId], left: [] });

    const third = await addDevice(there, bob);
    const before = asked("/user/");
    await there.carry();
    expect((await sync(here, alice, told.next_batch)).device_lists.changed).toEqual([bob.userId]);
    const devices = (await here.node.keys.query(alice, { [bob.userId]: [] })).device_keys[bob.userId]!;
    expect(Object.keys(devices)).toContain(third.deviceId);
    await there.node.users.logout(third);
    await there.carry();
    const left = (await here.node.keys.query(alice, { [bob.userId]: [] })).device_keys[bob.userId]!;
    expect(Object.keys(left)).not.toContain(third.deviceId);
    expect(asked("/user/")).toBe(before);
  });

  test("a server that is away is among the failures, and its lists are asked for when it is back", async () => {
    const { network, here, there, alice, bob } = await together();
    network.setDown(there.serverName, true);
    const away = await here.node.keys.query(alice, { [bob.userId]: [] });
    expect(away).toMatchObject({
      device_keys: {},
      failures: { [there.serverName]: { errcode: "M_UNKNOWN" } },
    });
    const wanted = { [bob.userId]: { [bob.deviceId]: "signed_curve25519" } };
    expect((await here.node.keys.claim(request(), wanted)).failures).toHaveProperty([there.serverName]);

    network.setDown(there.serverName, false);
    await here.node.keys.query(alice, { [bob.userId]: [] });
    const second = await addDevice(there, bob);
    // It can say so, but cannot be asked.
    const answering = there.node.answerServers;
    network.add(there.serverName, async () => ({ status: 503, headers: [], body: undefined }));
    await there.carry();
    const stale = await here.node.keys.query(alice, { [bob.userId]: [] });
    expect(stale.device_keys).toEqual({});
    expect(Object.keys(stale.failures)).toEqual([there.serverName]);
    network.add(there.serverName, answering);
    here.heardFrom(there.serverName);
    await vi.waitFor(async () => {
      const rows = await here.node.storage.getAll("remoteDeviceLists");
      expect(rows.map(({ userId, stale }) => [userId, stale])).toEqual([[bob.userId, undefined]]);
    });
    network.setDown(there.serverName, true);
    const found = await here.node.keys.query(alice, { [bob.userId]: [] });
    expect(found.failures).toEqual({});
    expect(Object.keys(found.device_keys[bob.userId]!)).toContain(second.deviceId);
  });

  test("what was stale when the page went is asked for when it is back", async () => {
    const { network, here, there, alice, bob } = await together();
    await here.node.keys.query(alice, { [bob.userId]: [] });
    const answering = there.node.answerServers;
    network.add(there.serverName, async () => ({ status: 503, headers: [], body: undefined }));
    await addDevice(there, bob);
    await there.carry();
    network.add(there.serverName, answering);
    const again = await here.reopen();
    await vi.waitFor(async () => {
      const [row] = await again.node.storage.getAll("remoteDeviceLists");
      expect(row?.stale).toBeUndefined();
      expect(row?.streamId).toBeGreaterThan(0);
    });
  });

  test("cross-signing keys come over, can be signed here, and their change is told", async () => {
    const { here, there, alice, bob } = await together();
    const [bobs, alices] = [await crossSigner(bob.userId), await crossSigner(alice.userId)];
    await there.node.keys.uploadCrossSigning(bob, bobs.body);
    await there.carry();
    await here.node.keys.uploadCrossSigning(alice, alices.body);
    const seen = async () => here.node.keys.query(alice, { [bob.userId]: [] });
    const first = await seen();
    expect(first.master_keys[bob.userId]).toEqual(bobs.body.master_key);
    expect(first.self_signing_keys[bob.userId]).toEqual(bobs.body.self_signing_key);
    expect(first.user_signing_keys).toEqual({});

    const signed = await alices.signUser(bobs.body.master_key);
    const keyId = bobs.master.publicKey;
    const before = await sync(here, alice);
    const { failures } = await here.node.keys.uploadSignatures(alice, { [bob.userId]: { [keyId]: signed } });
    expect(failures).toEqual({});
    expect((await seen()).master_keys[bob.userId]).toEqual(signed);
    expect((await sync(here, alice, before.next_batch)).device_lists.changed).toEqual([bob.userId]);
    // Whom alice has verified is hers alone to know.
    const eve = await registerAt(here.node, "eve");
    const others = await here.node.keys.query(eve, { [bob.userId]: [] });
    expect(others.master_keys[bob.userId]).toEqual(bobs.body.master_key);

    const known = await sync(here, alice);
    const anew = await crossSigner(bob.userId);
    await there.node.keys.uploadCrossSigning(bob, {
      ...anew.body,
      auth: { type: "m.login.password", user: bob.userId, password: "correct horse battery" },
    });
    await there.carry();
    expect((await sync(here, alice, known.next_batch)).device_lists.changed).toEqual([bob.userId]);
    await vi.waitFor(async () => {
      expect((await seen()).master_keys[bob.userId]).toEqual(anew.body.master_key);
    });
  });

  test("each update follows the one before, over restarts as well", async () => {
    const { here, there, bob } = await together();
    const updates = () =>
      here.received
        .filter(({ edu_type }) => edu_type === "m.device_list_update")
        .map(({ content }) => [content.prev_id, content.stream_id, content.deleted === true]);
    await addDevice(there, bob);
    await there.carry();
    const [, first] = updates().at(-1)!;
    const again = await there.reopen();
    const second = await addDevice(again, bob);
    await again.node.users.logout(second);
    here.received.length = 0;
    await again.carry();
    const sent = updates().slice(-2);
    const [[, added]] = sent as [unknown[]];
    expect(sent).toEqual([
      [[first], added, true], // it says how it is, not how it was
      [[added], expect.any(Number), true],
    ]);
  });

  test("nothing is kept of who shares no room any more, nor of strangers", async () => {
    const { here, there, alice, bob, roomId, asked } = await together();
    const before = await sync(here, alice);
    await here.node.keys.query(alice, { [bob.userId]: [] });
    expect(await here.node.storage.getAllKeys("remoteDeviceLists")).toEqual([bob.userId]);
    await leave(bob, roomId, there, [here]);
    await vi.waitFor(async () => {
      expect(await here.node.storage.getAllKeys("remoteDeviceLists")).toEqual([]);
      expect(await here.node.storage.getAllKeys("remoteDevices")).toEqual([]);
    });
    expect((await sync(here, alice, before.next_batch)).device_lists.left).toEqual([bob.userId]);
    const found = await here.node.keys.query(alice, { [bob.userId]: [] });
    expect(Object.keys(found.device_keys[bob.userId]!)).toEqual([bob.deviceId]);
    expect(await here.node.storage.getAllKeys("remoteDeviceLists")).toEqual([]);
    expect(asked("/user/keys/query")).toBe(2);
  });
});
