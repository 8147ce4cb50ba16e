import { describe, expect, test } from "vitest";
import type { JsonObject } from "../../src/matrix/json.ts";
import { crossSigner, cryptoDevice } from "../worker-roomserver/support/crypto-device.ts";
import { until } from "../worker-roomserver/support/rounds.ts";
import { dummy } from "../worker-roomserver/support/users.ts";
import { bridged, errorOf, part, type Transaction, v3 } from "./support/bridged.ts";

const lists = "org.matrix.msc3202.device_lists";
const counts = "org.matrix.msc3202.device_one_time_keys_count";
const fallbacks = "org.matrix.msc3202.device_unused_fallback_key_types";

/** A bridge that encrypts as mautrix does it, with one device of its bot. */
async function encrypting(change: JsonObject = { "org.matrix.msc3202": true }) {
  const home = await bridged(change);
  const { bridge, person, serverName } = home;
  const deviceOf = async (userId: string, deviceId: string) => {
    const as = `user_id=${part(userId)}`;
    const masked = `${as}&org.matrix.msc3202.device_id=${deviceId}`;
    const device = await cryptoDevice(userId, deviceId);
    const made = await bridge("PUT", `${v3}/devices/${deviceId}?${as}`, { display_name: "bridge" });
    expect(made.status).toBe(201);
    return {
      device,
      masked,
      upload: (body: JsonObject) => bridge("POST", `${v3}/keys/upload?${masked}`, body),
    };
  };
  const alice = `@alice:${serverName}`;
  return {
    ...{ ...home, deviceOf, alice },
    claim: (userId: string, deviceId: string) =>
      person("POST", `${v3}/keys/claim`, {
        one_time_keys: { [userId]: { [deviceId]: "signed_curve25519" } },
      }),
    join: (room: string, userId: string) =>
      bridge("POST", `${v3}/join/${part(room)}?user_id=${part(userId)}`, {}),
    leave: (room: string, userId: string) =>
      bridge("POST", `${v3}/rooms/${part(room)}/leave?user_id=${part(userId)}`, {}),
    /** The first transaction since the last call that has something of this name. */
    next: async (name: keyof Transaction): Promise<Transaction> => {
      const find = () => home.transactions().find((transaction) => transaction[name] !== undefined);
      await until(() => find() !== undefined);
      const found = find()!;
      home.calls.length = 0;
      return found;
    },
    /** Somebody else, who publishes keys. */
    carol: async () => {
      const { body } = await home.own("POST", `${v3}/register`, {
        body: { username: "carol", password: "correct horse battery", auth: dummy },
      });
      const { user_id, device_id, access_token } = body as Record<string, string>;
      const ask = (path: string, content: JsonObject) =>
        home.own("POST", v3 + path, { token: access_token!, body: content });
      const { deviceKeys } = await cryptoDevice(user_id!, device_id!);
      await ask("/keys/upload", { device_keys: deviceKeys });
      return { userId: user_id!, ask };
    },
  };
}

describe("a service that encrypts", () => {
  test("makes a device for a ghost, publishes its keys and signs it, without a login or a password", async () => {
    const { deviceOf, makeGhost, ghost, bridge, person } = await encrypting();
    await makeGhost("bob");
    const { device, masked, upload } = await deviceOf(ghost("bob"), "BRIDGE");
    const { status, body } = await upload({
      device_keys: device.deviceKeys,
      one_time_keys: await device.oneTimeKeys(2),
      fallback_keys: await device.fallbackKey(),
    });
    expect([status, body]).toEqual([200, { one_time_key_counts: { signed_curve25519: 2 } }]);
    const signer = await crossSigner(ghost("bob"));
    const signing = `${v3}/keys/device_signing/upload?${masked}`;
    expect((await bridge("POST", signing, signer.body)).status).toBe(200);
    // Also what takes the place of other keys.
    expect((await bridge("POST", signing, (await crossSigner(ghost("bob"))).body)).status).toBe(200);
    const query = await person("POST", `${v3}/keys/query`, { device_keys: { [ghost("bob")]: [] } });
    expect(query.body.device_keys).toMatchObject({ [ghost("bob")]: { BRIDGE: device.deviceKeys } });
    // Of nobody else, and of no device that is not there.
    const wrong = await bridge("POST", `${v3}/keys/upload?${masked}X`, {});
    expect(errorOf(wrong)).toEqual([400, "M_UNKNOWN_DEVICE"]);
  });

  test("is told how many keys a device has left when one was claimed", async () => {
    const { deviceOf, sender, claim, next, calls } = await encrypting();
    const { device, upload } = await deviceOf(sender, "BOT");
    await upload({
      device_keys: device.deviceKeys,
      one_time_keys: await device.oneTimeKeys(1),
      fallback_keys: await device.fallbackKey(),
    });
    calls.length = 0;
    await claim(sender, "BOT");
    const first = await next(counts);
    expect(first[counts]).toEqual({ [sender]: { BOT: { signed_curve25519: 0 } } });
    expect(first[fallbacks]).toEqual({ [sender]: { BOT: ["signed_curve25519"] } });
    await claim(sender, "BOT");
    expect((await next(counts))[fallbacks]).toEqual({ [sender]: { BOT: [] } });
  });

  test("is told whose devices have changed of those who share a room with a user of it", async () => {
    const home = await encrypting();
    const { join, leave, sender, alice, person } = home;
    const next = async () => (await home.next(lists))[lists];
    const carol = await home.carol();
    const room = await home.room();
    await join(room, sender);
    expect(await next()).toEqual({ changed: [alice], left: [] });
    const { body } = await person("GET", `${v3}/account/whoami`);
    const { deviceKeys } = await cryptoDevice(alice, body.device_id as string);
    await person("POST", `${v3}/keys/upload`, { device_keys: deviceKeys });
    expect(await next()).toEqual({ changed: [alice], left: [] });
    await carol.ask(`/join/${part(room)}`, {});
    expect(await next()).toEqual({ changed: [carol.userId], left: [] });
    await carol.ask(`/rooms/${part(room)}/leave`, {});
    expect(await next()).toEqual({ changed: [], left: [carol.userId] });
    await leave(room, sender);
    expect(await next()).toEqual({ changed: [], left: [alice] });
  });

  test("is told of nobody anew who shares another room with it, whichever of its users that is", async () => {
    const home = await encrypting();
    const { join, leave, sender, ghost, alice } = home;
    const next = async () => (await home.next(lists))[lists];
    await home.makeGhost("bob");
    const [first, second] = [await home.room(), await home.room()];
    await join(first, sender);
    expect(await next()).toEqual({ changed: [alice], left: [] });
    await join(first, ghost("bob"));
    await join(second, ghost("bob"));
    expect(await next()).toEqual({ changed: [alice], left: [] }); // a room with others
    await leave(first, sender);
    await leave(first, ghost("bob"));
    await leave(second, ghost("bob"));
    expect(await next()).toEqual({ changed: [], left: [alice] });
  });
});

test("a service that does not ask for it is told nothing of keys, and typing under the name that it asks for", async () => {
  const home = await encrypting({ "de.sorunome.msc2409.push_ephemeral": true });
  const { device, upload } = await home.deviceOf(home.sender, "BOT");
  await upload({ device_keys: device.deviceKeys, one_time_keys: await device.oneTimeKeys(1) });
  const room = await home.room();
  await home.join(room, home.sender);
  await home.claim(home.sender, "BOT");
  const typing = `${v3}/rooms/${part(room)}/typing/${part(home.alice)}`;
  await home.person("PUT", typing, { typing: true, timeout: 30_000 });
  await until(() => home.transactions().some(({ ephemeral }) => ephemeral !== undefined));
  const names = new Set(home.transactions().flatMap((transaction) => Object.keys(transaction)));
  expect(names).toEqual(new Set(["events", "ephemeral", "de.sorunome.msc2409.ephemeral"]));
});
