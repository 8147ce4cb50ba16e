import { describe, expect, test } from "vitest";
import type { OpenNode } from "../../../src/worker-roomserver/node/node.ts";
import type { DeviceRequester, Requester } from "../../../src/worker-roomserver/node/requester.ts";
import type { Write } from "../../../src/worker-roomserver/storage/api.ts";
import { openDatabase } from "../../../src/worker-roomserver/storage/open.ts";
import type { Nid, StoreName } from "../../../src/worker-roomserver/storage/schema.ts";
import { registerAt, testNode } from "../support/node.ts";
import { failUnit } from "../support/rounds.ts";
import { passwordAuth, request } from "../support/users.ts";

/** Puts a row that is somebody's; the stores of the first kind have one for a device. */
type Put = (write: Write, who: { userId: string; user: Nid; deviceId: string }) => void;

/** What goes in the unit that removes the device, and so with the account too. */
const goesWithTheDevice: Partial<Record<StoreName, Put>> = {
  devices: () => undefined, // the login has made the row
  tokens: () => undefined,
  deviceKeys: (write, { userId, deviceId }) => write.put("deviceKeys", "{}", [userId, deviceId]),
  oneTimeKeys: (write, { userId, deviceId }) =>
    write.put("oneTimeKeys", ["AAA", '""'], [userId, deviceId, "signed_curve25519", 1]),
  depositedKeys: (write, { userId, deviceId }) =>
    write.put(
      "depositedKeys",
      ["https://relay.example", "AAA", '""'],
      [userId, deviceId, "signed_curve25519", 2],
    ),
  usedOneTimeKeys: (write, { userId, deviceId }) =>
    write.put("usedOneTimeKeys", ["AAA", ""], [userId, deviceId, "signed_curve25519", 1]),
  fallbackKeys: (write, { userId, deviceId }) =>
    write.put("fallbackKeys", { id: "AAA", json: '""', used: false }, [
      userId,
      deviceId,
      "signed_curve25519",
    ]),
  keySignatures: (write, { userId, deviceId }) =>
    write.put("keySignatures", {
      ...{ user: userId, signer: userId, key: deviceId, by: "ed25519:a key", signature: "" },
    }),
  toDevice: (write, { userId, deviceId }) =>
    write.put("toDevice", { type: "m.dummy", sender: userId, json: "{}" }, [
      userId,
      deviceId,
      1,
      userId,
      9,
      0,
    ]),
  transactions: (write, { userId, deviceId }) =>
    write.put("transactions", ["$sent", Date.now()], [userId, deviceId, "1/send/m.room.message/m1"]),
  pushers: (write, { userId, deviceId }) => {
    const key = { userId, appId: "an app", pushkey: deviceId };
    write.put("pushers", { ...key, deviceId, json: "{}", ts: 0, start: 0 });
  },
  pushProgress: (write, { userId, deviceId }) =>
    write.put("pushProgress", { start: 0, sent: 0, failures: 0, notBefore: 0 }, [userId, "an app", deviceId]),
};

/** What goes only with the account, in the unit that closes it. */
const goesWithTheAccount: Partial<Record<StoreName, Put>> = {
  crossSigningKeys: (write, { userId }) => write.put("crossSigningKeys", "{}", [userId, "master"]),
  keyBackups: (write, { userId }) =>
    write.put("keyBackups", { algorithm: "a", authData: "{}", count: 0, etag: 0 }, [userId, -1]),
  keyBackupSessions: (write, { userId }) => write.put("keyBackupSessions", "{}", [userId, 1, "!r", "s"]),
};

/** What goes with it too where the user wants their content erased. */
const goesWithTheContent: Partial<Record<StoreName, Put>> = {
  accountData: (write, { user }) =>
    write.put("accountData", { u: user, r: 0, type: "org.example.a", json: "{}", p: 1 }),
  filters: (write, { user }) => write.put("filters", "{}", [user, "0"]),
  profiles: () => undefined, // registration has made the row
};

const staysBecause: Partial<Record<StoreName, string>> = {
  accounts: "the name of an account stays taken",
  erasures: "says that its content is to be kept from who comes later",
  memberships: "the account leaves its rooms by events, which stay; the row says that it has left",
  events: "rooms are made of them; erasure redacts what later members get",
  receipts: "they are the room's, as other members have them",
  presence: "who shared a room with the user may ask for it still; it says that they are offline",
  pushActions: "they go as the rooms are left",
  notifications: "numbers of events without content, the newest 2,000",
  deviceListChanges: "tells others that the device has gone",
  keyBackupVersions: "no version number may come twice",
  media: "events name it",
  mediaUsage: "counts what is in media",
  reports: "for the server's owner",
  oauthSecrets: "ends by itself within minutes, and counts only as long as the password is the same",
  pages: "the hash of a token that is gone; swept after a week",
  answers: "of requests, so that they are answered as before; swept",
  toDeviceOutbox: "what was sent is sent",
  searchBlocks: "of events",
  log: "tells others of it; trimmed",
  journal: "is empty after each checkpoint",
  names: "numbers of names are never given out again",
  nameTexts: "as names",
  deviceListUpdates: "others are told that the devices are gone, and in which order",
};

const ofNoUser: StoreName[] = [
  ...([
    "meta",
    "rooms",
    "purges",
    "authEdges",
    "awaited",
    "relations",
    "threads",
    "gaps",
    "snapshots",
  ] as const),
  ...(["aliases", "published", "readers", "registrationTokens", "uia", "oauthClients", "blobs"] as const),
  ...(["thumbnails", "urlPreviews", "settings"] as const),
  ...(["appServices", "appServiceSending", "appServiceRooms"] as const),
  ...(["relays", "mail", "mailTaken", "waitingEvents"] as const),
  ...(["destinations", "outgoing", "relaysOfServers", "serverKeys"] as const),
  // Of users of other servers, who have no account here.
  ...(["remoteDeviceLists", "remoteDevices", "toDeviceReceived"] as const),
];

const kinds = [goesWithTheDevice, goesWithTheAccount, goesWithTheContent];

test("each store says what becomes of its rows when a device or an account goes", async () => {
  const node = await testNode("belongings-stores");
  await node.storage.flushed();
  const db = await openDatabase("belongings-stores", {
    onSuperseded: () => undefined,
    onBlocked: () => undefined,
    onLost: () => undefined,
  });
  const stores = [...db.objectStoreNames].sort();
  db.close();
  const listed = [...kinds, staysBecause].flatMap((kind) => Object.keys(kind));
  expect([...listed, ...ofNoUser].sort()).toEqual(stores);
});

/** Alice with a phone, whose rows are in all stores, and bob, whose rows are. */
async function home(): Promise<{ node: OpenNode; alice: DeviceRequester; bob: DeviceRequester }> {
  const node = await testNode();
  const [alice, bob] = [await registerAt(node, "alice"), await registerAt(node, "bob")];
  for (const { userId, deviceId } of [alice, bob]) {
    const user = await node.storage.names.intern(userId);
    await node.storage.commit((write) => {
      for (const kind of kinds) for (const put of Object.values(kind)) put(write, { userId, user, deviceId });
    });
  }
  return { node, alice, bob };
}

/** In which of these stores somebody has rows. */
async function found({ node }: { node: OpenNode }, kind: object, who: DeviceRequester): Promise<string[]> {
  const user = await node.storage.names.intern(who.userId);
  const isTheirs = (part: unknown) => part === who.userId || part === user;
  const stores = Object.keys(kind) as StoreName[];
  const counts = await Promise.all(
    stores.map(async (store) => {
      const [keys, rows] = [await node.storage.getAllKeys(store), await node.storage.getAll(store)];
      // What is under a hash names its user.
      return keys.some((key, i) =>
        store === "tokens"
          ? (rows[i] as { userId: string }).userId === who.userId
          : isTheirs(Array.isArray(key) ? key[0] : key),
      );
    }),
  );
  return stores.filter((_, i) => counts[i]);
}

const auth = passwordAuth("alice", { password: "correct horse battery" });

describe("in one unit", () => {
  test("goes what is kept of a device", async () => {
    const t = await home();
    await t.node.users.logout(t.alice);
    expect(await found(t, goesWithTheDevice, t.alice)).toEqual([]);
    for (const kind of [goesWithTheAccount, goesWithTheContent]) {
      expect(await found(t, kind, t.alice)).toEqual(Object.keys(kind));
    }
    for (const kind of kinds) expect(await found(t, kind, t.bob)).toEqual(Object.keys(kind));
  });

  test.each([false, true])("goes what is kept of an account; erased: %s", async (erase) => {
    const t = await home();
    await t.node.users.deactivate(request(), t.alice, { auth, erase });
    expect(await found(t, { ...goesWithTheDevice, ...goesWithTheAccount }, t.alice)).toEqual([]);
    const left = erase ? [] : Object.keys(goesWithTheContent);
    expect(await found(t, goesWithTheContent, t.alice)).toEqual(left);
    for (const kind of kinds) expect(await found(t, kind, t.bob)).toEqual(Object.keys(kind));
  });

  test("or nothing goes", async () => {
    const t = await home();
    const { storage } = t.node;
    const commit = storage.commit.bind(storage);
    storage.commit = (fill, options) =>
      commit((write) => {
        const filled = fill(write);
        failUnit(write);
        return filled;
      }, options);
    await expect(t.node.users.logout(t.alice)).rejects.toThrow();
    storage.commit = commit;
    for (const kind of kinds) expect(await found(t, kind, t.alice)).toEqual(Object.keys(kind));
  });
});

test("a device that logs in anew has no pusher of the login before, and keeps the rest", async () => {
  const t = await home();
  await t.node.users.login(request(), { ...auth, type: "m.login.password", device_id: t.alice.deviceId });
  const left = Object.keys(goesWithTheDevice).filter((store) => !store.startsWith("push"));
  expect(await found(t, goesWithTheDevice, t.alice)).toEqual(left);
});

test("what a removed device has sent is not taken for what a new one of its name sends", async () => {
  const node = await testNode();
  const alice = await registerAt(node, "alice");
  const { room_id: roomId } = await node.room.createRoom(request(), alice, {});
  const send = (requester: Requester) =>
    node.room.sendEvent(requester, { roomId, type: "m.room.message", txnId: "m1", content: { body: "hi" } });
  const first = await send(alice);
  expect(await send(alice)).toEqual(first);
  await node.users.logout(alice);
  const login = { ...auth, type: "m.login.password", device_id: alice.deviceId };
  const { access_token: token = "" } = await node.users.login(request(), login);
  const { requester } = await node.users.authenticate(token);
  expect(await send(requester)).not.toEqual(first);
});
