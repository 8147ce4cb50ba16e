import { expect } from "vitest";
import type { JsonObject } from "../../../src/matrix/json.ts";
import { type Person, v3 } from "../support/person.ts";
import type { Scenario } from "../support/scenario.ts";
import { publicKey, signed } from "../support/signatures.ts";

/** What a device publishes of itself. */
export async function deviceKeys({
  userId,
  deviceId,
}: Pick<Person, "userId" | "deviceId">): Promise<JsonObject> {
  const keys = {
    user_id: userId,
    device_id: deviceId,
    algorithms: ["m.olm.v1.curve25519-aes-sha2", "m.megolm.v1.aes-sha2"],
    keys: {
      [`curve25519:${deviceId}`]: await publicKey("c"),
      [`ed25519:${deviceId}`]: await publicKey("e"),
    },
  };
  return signed(keys, userId, deviceId, "e");
}

/** A key that is used once, or for want of such ones. */
const signedKey = async ({ userId, deviceId }: Person, letter: string, more: JsonObject = {}) =>
  signed({ key: await publicKey(letter), ...more }, userId, deviceId, "e");

async function crossSigningKeys({ userId }: Person): Promise<JsonObject> {
  const master = await publicKey("m");
  const keyFor = async (usage: string, letter: string): Promise<JsonObject> => ({
    user_id: userId,
    usage: [usage],
    keys: { [`ed25519:${await publicKey(letter)}`]: await publicKey(letter) },
  });
  return {
    master_key: await keyFor("master", "m"),
    self_signing_key: await signed(await keyFor("self_signing", "f"), userId, master, "m"),
    user_signing_key: await signed(await keyFor("user_signing", "u"), userId, master, "m"),
  };
}

const upload = async (alice: Person) =>
  alice.post(`${v3}/keys/upload`, { device_keys: await deviceKeys(alice) });

export const keysScenarios: Scenario[] = [
  {
    operation: "uploadKeys",
    route: "POST /_matrix/client/v3/keys/upload",
    prepare: async ({ person }) => {
      const alice = await person();
      return {
        as: alice,
        body: {
          device_keys: await deviceKeys(alice),
          one_time_keys: {
            "signed_curve25519:AAAAHg": await signedKey(alice, "1"),
            "signed_curve25519:AAAAHw": await signedKey(alice, "2"),
          },
          fallback_keys: { "signed_curve25519:AAAAGg": await signedKey(alice, "3", { fallback: true }) },
        },
        check: async ({ body }) => {
          expect(body).toEqual({ one_time_key_counts: { signed_curve25519: 2 } });
          const found = await alice.post(`${v3}/keys/query`, { device_keys: { [alice.userId]: [] } });
          expect(found.device_keys).toMatchObject({
            [alice.userId]: { [alice.deviceId]: await deviceKeys(alice) },
          });
        },
      };
    },
  },
  {
    operation: "queryKeys",
    route: "POST /_matrix/client/v3/keys/query",
    prepare: async ({ person }) => {
      const [alice, bob] = [await person(), await person()];
      await upload(alice);
      return {
        as: bob,
        body: { device_keys: { [alice.userId]: [alice.deviceId] }, timeout: 1000 },
        check: async ({ body }) =>
          expect(body.device_keys).toMatchObject({
            [alice.userId]: { [alice.deviceId]: await deviceKeys(alice) },
          }),
      };
    },
  },
  {
    operation: "claimKeys",
    route: "POST /_matrix/client/v3/keys/claim",
    prepare: async ({ person }) => {
      const [alice, bob] = [await person(), await person()];
      const one_time_keys = { "signed_curve25519:AAAAHg": await signedKey(alice, "1") };
      await alice.post(`${v3}/keys/upload`, { device_keys: await deviceKeys(alice), one_time_keys });
      return {
        as: bob,
        body: {
          one_time_keys: { [alice.userId]: { [alice.deviceId]: "signed_curve25519" } },
          timeout: 1000,
        },
        check: async ({ body }) => {
          expect(body.one_time_keys).toEqual({ [alice.userId]: { [alice.deviceId]: one_time_keys } });
          expect(await alice.post(`${v3}/keys/upload`)).toEqual({
            one_time_key_counts: { signed_curve25519: 0 },
          });
        },
      };
    },
  },
  {
    operation: "getKeysChanges",
    route: "GET /_matrix/client/v3/keys/changes",
    prepare: async ({ person }) => {
      const [alice, bob] = [await person(), await person()];
      await bob.join(await alice.room());
      const from = (await bob.get(`${v3}/sync`)).next_batch as string;
      await upload(alice);
      const to = (await bob.get(`${v3}/sync?since=${from}`)).next_batch as string;
      return {
        as: bob,
        query: { from, to },
        check: ({ body }) => expect(body.changed).toContain(alice.userId),
      };
    },
  },
  {
    operation: "uploadCrossSigningKeys",
    route: "POST /_matrix/client/v3/keys/device_signing/upload",
    prepare: async ({ person }) => {
      const alice = await person();
      return {
        as: alice,
        body: await crossSigningKeys(alice),
        check: async () => {
          const found = await alice.post(`${v3}/keys/query`, { device_keys: { [alice.userId]: [] } });
          const { master_key, user_signing_key } = await crossSigningKeys(alice);
          expect(found).toMatchObject({
            master_keys: { [alice.userId]: master_key },
            user_signing_keys: { [alice.userId]: user_signing_key },
          });
        },
      };
    },
  },
  {
    operation: "uploadCrossSigningSignatures",
    route: "POST /_matrix/client/v3/keys/signatures/upload",
    prepare: async ({ person }) => {
      const alice = await person();
      await upload(alice);
      await alice.post(`${v3}/keys/device_signing/upload`, await crossSigningKeys(alice));
      const { signatures: _, ...bare } = await deviceKeys(alice);
      const signer = await publicKey("f");
      const update = await signed(bare, alice.userId, signer, "f");
      return {
        as: alice,
        body: { [alice.userId]: { [alice.deviceId]: update } },
        check: async ({ body }) => {
          expect(body.failures ?? {}).toEqual({});
          const found = await alice.post(`${v3}/keys/query`, { device_keys: { [alice.userId]: [] } });
          expect(found.device_keys).toMatchObject({ [alice.userId]: { [alice.deviceId]: update } });
        },
      };
    },
  },
  {
    operation: "sendToDevice",
    route: "PUT /_matrix/client/v3/sendToDevice/{eventType}/{txnId}",
    prepare: async ({ person }) => {
      const [alice, bob] = [await person(), await person()];
      const content = { algorithm: "org.example.whisper", text: "psst" };
      return {
        as: alice,
        params: { eventType: "org.example.whisper", txnId: "t1" },
        body: { messages: { [bob.userId]: { [bob.deviceId]: content } } },
        check: async () =>
          expect((await bob.get(`${v3}/sync`)).to_device).toEqual({
            events: [{ type: "org.example.whisper", sender: alice.userId, content }],
          }),
      };
    },
  },
];
