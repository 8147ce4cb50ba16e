import { encodeBase64 } from "../../../src/matrix/base64.ts";
import { nobleEd25519 } from "../../../src/matrix/ed25519-noble.ts";
import type { JsonObject } from "../../../src/matrix/json.ts";
import { signJson } from "../../../src/matrix/signing.ts";

const ed25519 = nobleEd25519();

/** A key pair of Ed25519; the public half in Base64. */
export type KeyPair = { publicKey: string; sign: (message: Uint8Array) => Promise<Uint8Array> };

export async function keyPair(): Promise<KeyPair> {
  const seed = crypto.getRandomValues(new Uint8Array(32));
  return {
    publicKey: encodeBase64(await ed25519.publicKey(seed)),
    sign: await ed25519.signer(seed),
  };
}

const randomKey = () => encodeBase64(crypto.getRandomValues(new Uint8Array(32)));

/** The keys of a client's device, as libraries for end-to-end encryption make them. */
export type CryptoDevice = {
  userId: string;
  deviceId: string;
  pair: KeyPair;
  /** For `device_keys`. */
  deviceKeys: JsonObject;
  /** New ones for `one_time_keys`, numbered on from those before. */
  oneTimeKeys: (count: number) => Promise<JsonObject>;
  /** A new one for `fallback_keys`. */
  fallbackKey: () => Promise<JsonObject>;
};

export async function cryptoDevice(userId: string, deviceId: string): Promise<CryptoDevice> {
  const pair = await keyPair();
  let keysMade = 0;
  const signed = (object: JsonObject) => signJson(object, userId, `ed25519:${deviceId}`, pair.sign);
  const named = async (more: JsonObject): Promise<[string, JsonObject]> => {
    keysMade += 1;
    const id = encodeBase64(Uint8Array.of(0, 0, keysMade >> 8, keysMade & 255));
    return [`signed_curve25519:${id}`, await signed({ key: randomKey(), ...more })];
  };
  return {
    userId,
    deviceId,
    pair,
    deviceKeys: await signed({
      user_id: userId,
      device_id: deviceId,
      algorithms: ["m.olm.v1.curve25519-aes-sha2", "m.megolm.v1.aes-sha2"],
      keys: { [`curve25519:${deviceId}`]: randomKey(), [`ed25519:${deviceId}`]: pair.publicKey },
    }),
    oneTimeKeys: async (count) => {
      const keys: JsonObject = {};
      for (let i = 0; i < count; i++) {
        const [name, key] = await named({});
        keys[name] = key;
      }
      return keys;
    },
    fallbackKey: async () => Object.fromEntries([await named({ fallback: true })]),
  };
}

/** A user's three keys for cross-signing, and what is signed with them. */
export type CrossSigner = {
  userId: string;
  master: KeyPair;
  selfSigning: KeyPair;
  userSigning: KeyPair;
  /** For `POST /keys/device_signing/upload`. */
  body: { master_key: JsonObject; self_signing_key: JsonObject; user_signing_key: JsonObject };
  /** One's own device, signed. */
  signDevice: (deviceKeys: JsonObject) => Promise<JsonObject>;
  /** Another user's master key, signed. */
  signUser: (masterKey: JsonObject) => Promise<JsonObject>;
};

export async function crossSigner(userId: string): Promise<CrossSigner> {
  const [master, selfSigning, userSigning] = [await keyPair(), await keyPair(), await keyPair()];
  const key = (usage: string, { publicKey }: KeyPair): JsonObject => ({
    user_id: userId,
    usage: [usage],
    keys: { [`ed25519:${publicKey}`]: publicKey },
  });
  const by = (pair: KeyPair) => (object: JsonObject) =>
    signJson(object, userId, `ed25519:${pair.publicKey}`, pair.sign);
  return {
    userId,
    master,
    selfSigning,
    userSigning,
    body: {
      master_key: key("master", master),
      self_signing_key: await by(master)(key("self_signing", selfSigning)),
      user_signing_key: await by(master)(key("user_signing", userSigning)),
    },
    signDevice: by(selfSigning),
    signUser: by(userSigning),
  };
}

/** The same with a signature that is of something else. */
export function missigned(object: JsonObject, userId: string): JsonObject {
  const own = (object.signatures as Record<string, JsonObject>)[userId]!;
  const wrong = Object.fromEntries(Object.keys(own).map((keyId) => [keyId, "A".repeat(86)]));
  return { ...object, signatures: { [userId]: wrong } };
}
