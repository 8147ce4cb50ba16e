import type { KeyMailboxRequest } from "../../link/relay-api.ts";
import { badJson } from "../../matrix/errors.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../../matrix/json.ts";
import { readNamedKeys } from "../../matrix/one-time-keys.ts";

export type KeyName = { device_id: string; key_id: string };
type HeldKey = KeyName & { key: JsonValue; fingerprint: string };

/** One user's document. */
export type UserKeys = {
  /** Absent until the first deposit. */
  content?: {
    devices: JsonObject;
    device_keys: JsonObject;
    master_key?: JsonObject;
    self_signing_key?: JsonObject;
  };
  /** In the order in which they came, as they are given out. */
  one_time: HeldKey[];
  fallback: HeldKey[];
  /** Since they were taken back. */
  given: KeyName[];
  /** Fingerprints of those given out lately, ever: a deposit that is sent again does not bring them back. */
  spent: string[];
  /** What the latest taking back has found here. */
  taken?: { number: number; given: KeyName[]; left: KeyName[] };
};

/** Many more than a device has uploaded at a time; together some tens of kB. */
const MAX_SPENT = 1000;

const empty: UserKeys = { one_time: [], fallback: [], given: [], spent: [] };

/**
 * What there is after a deposit. Doing it twice changes nothing.
 * @throws {MatrixError} M_BAD_JSON and M_INVALID_PARAM (400)
 */
export function deposited(keys: UserKeys = empty, upload: KeyMailboxRequest): UserKeys {
  const known = new Set([...keys.one_time.map(({ fingerprint }) => fingerprint), ...keys.spent]);
  const added = heldKeys(upload.one_time_keys, "one_time_keys").filter(({ fingerprint }) => {
    if (known.has(fingerprint)) return false;
    known.add(fingerprint);
    return true;
  });
  return {
    ...keys,
    content: {
      devices: requireObject(upload.devices, "devices"),
      device_keys: requireObject(upload.device_keys, "device_keys"),
      ...(upload.master_key && { master_key: requireObject(upload.master_key, "master_key") }),
      ...(upload.self_signing_key && {
        self_signing_key: requireObject(upload.self_signing_key, "self_signing_key"),
      }),
    },
    one_time: [...keys.one_time, ...added],
    fallback: heldKeys(upload.fallback_keys, "fallback_keys"),
  };
}

/**
 * Gives a key for each device, by the algorithm wanted of it: a one-time key, else the fallback key.
 * @returns by device, by key id
 */
export function give(
  keys: UserKeys,
  devices: ReadonlyMap<string, string>,
): { to?: UserKeys; result: JsonObject } {
  let after = keys;
  const found: [string, JsonObject][] = [];
  for (const [deviceId, algorithm] of devices) {
    const fits = ({ device_id, key_id }: KeyName) =>
      device_id === deviceId && key_id.startsWith(`${algorithm}:`);
    const once = after.one_time.find(fits);
    const held = once ?? after.fallback.find(fits);
    if (held === undefined) continue;
    found.push([deviceId, { [held.key_id]: held.key }]);
    after = once === undefined ? withGiven(after, held) : withoutKey(withGiven(after, once), once);
  }
  return { ...(after !== keys && { to: after }), result: Object.fromEntries(found) };
}

/**
 * Moves what was given and what is left into the answer of that number, once.
 * @param whole - whether that answer is whole already: then nothing more goes into it
 */
export function takeBack(
  keys: UserKeys = empty,
  number: number,
  whole: boolean,
): { to?: UserKeys; result: UserKeys["taken"] } {
  if (whole || keys.taken?.number === number) return { result: keys.taken };
  const taken = { number, given: keys.given, left: keys.one_time.map(nameOf) };
  return { to: { ...keys, one_time: [], given: [], taken }, result: taken };
}

const nameOf = ({ device_id, key_id }: KeyName): KeyName => ({ device_id, key_id });

function withGiven(keys: UserKeys, held: HeldKey): UserKeys {
  const isSame = (name: KeyName) => name.device_id === held.device_id && name.key_id === held.key_id;
  return keys.given.some(isSame) ? keys : { ...keys, given: [...keys.given, nameOf(held)] };
}

function withoutKey(keys: UserKeys, held: HeldKey): UserKeys {
  return {
    ...keys,
    one_time: keys.one_time.filter((key) => key !== held),
    spent: [...keys.spent, held.fingerprint].slice(-MAX_SPENT),
  };
}

function heldKeys(byDevice: unknown, member: string): HeldKey[] {
  return Object.entries(requireObject(byDevice, member)).flatMap(([deviceId, keys]) =>
    readNamedKeys(requireObject(keys, `${member}.${deviceId}`)).map(
      ({ algorithm, id, json, fingerprint }) => ({
        device_id: deviceId,
        key_id: `${algorithm}:${id}`,
        key: JSON.parse(json) as JsonValue,
        // The same key under two devices would be two keys to those who get them.
        fingerprint: `${deviceId} ${fingerprint}`,
      }),
    ),
  );
}

function requireObject(value: unknown, member: string): JsonObject {
  if (isJsonObject(value)) return value;
  throw badJson(`"${member}" should be an object.`);
}
