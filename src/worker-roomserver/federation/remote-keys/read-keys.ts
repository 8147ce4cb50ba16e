import {
  type CrossSigningKey,
  readCrossSigningKey,
  requireSignedByMaster,
} from "../../../matrix/cross-signing.ts";
import { withOwnSignatures } from "../../../matrix/device-keys.ts";
import type { Ed25519 } from "../../../matrix/ed25519-rules.ts";
import { MatrixError } from "../../../matrix/errors.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../../../matrix/json.ts";
import type { RemoteDeviceRow } from "../../storage/schema.ts";

/** Devices of one user that are kept; clients have to encrypt for each of them. */
export const MOST_DEVICES = 1_000;
/** Characters of a device's keys as JSON; usual ones have fewer than a thousand. */
const MAX_KEYS = 32 * 1024;
const MAX_DEVICE_ID = 255;
const MAX_NAME = 100;

/** What a user's server says of their keys. Members are JSON text. */
export type ReadKeys = {
  devices: Map<string, RemoteDeviceRow>;
  master?: string;
  selfSigning?: string;
};

/**
 * A device's keys, with no signatures but the owner's. Whether those are right is for who encrypts to check.
 * @returns undefined for keys of somebody else, or that are none
 */
export function readDevice(
  userId: string,
  deviceId: string,
  keys: JsonValue | undefined,
  name: JsonValue | undefined,
): RemoteDeviceRow | undefined {
  if (!isJsonObject(keys) || keys.user_id !== userId || keys.device_id !== deviceId) return undefined;
  if (deviceId === "" || deviceId.length > MAX_DEVICE_ID || !isJsonObject(keys.keys)) return undefined;
  const json = JSON.stringify(withOwnSignatures(keys, userId));
  if (json.length > MAX_KEYS) return undefined;
  return [json, typeof name === "string" ? name.slice(0, MAX_NAME) : ""];
}

/**
 * Cross-signing keys that are well-formed, of which the master key has signed the other.
 * @param known - the master key that goes with a self-signing key that comes alone, as JSON text
 */
export async function readCrossSigning(
  userId: string,
  { master, selfSigning }: { master: JsonValue | undefined; selfSigning: JsonValue | undefined },
  ed25519: Ed25519,
  known?: string,
): Promise<Pick<ReadKeys, "master" | "selfSigning">> {
  const own = refused(() => readMaster(userId, master));
  const by = own ?? (known === undefined ? undefined : readMaster(userId, JSON.parse(known)));
  const other = refused(() => read(userId, selfSigning, "self_signing"));
  const isSigned = by !== undefined && other !== undefined && (await isSignedBy(by, other, userId, ed25519));
  return {
    ...(own && { master: JSON.stringify(own.json) }),
    ...(isSigned && { selfSigning: JSON.stringify(other.json) }),
  };
}

/** The answer of `GET /user/devices/{userId}`; undefined for what is none. */
export async function readUserDevices(
  userId: string,
  answer: JsonValue,
  ed25519: Ed25519,
): Promise<(ReadKeys & { streamId: number }) | undefined> {
  if (!isJsonObject(answer) || answer.user_id !== userId || !Array.isArray(answer.devices)) return undefined;
  const { stream_id: streamId, devices: list } = answer;
  if (!Number.isSafeInteger(streamId) || list.length > MOST_DEVICES) return undefined;
  const devices = new Map<string, RemoteDeviceRow>();
  for (const each of list) {
    if (!isJsonObject(each) || typeof each.device_id !== "string") continue;
    const device = readDevice(userId, each.device_id, each.keys, each.device_display_name);
    if (device !== undefined) devices.set(each.device_id, device);
  }
  const keys = { master: answer.master_key, selfSigning: answer.self_signing_key };
  return { devices, streamId: streamId as number, ...(await readCrossSigning(userId, keys, ed25519)) };
}

/** Of the answer of `POST /user/keys/query` what is about one user; undefined where nothing is. */
export async function readQueried(
  userId: string,
  answer: JsonObject,
  ed25519: Ed25519,
): Promise<ReadKeys | undefined> {
  const of = (name: string) => {
    const all = answer[name];
    return isJsonObject(all) && Object.hasOwn(all, userId) ? all[userId] : undefined;
  };
  const list = of("device_keys");
  const keys = { master: of("master_keys"), selfSigning: of("self_signing_keys") };
  if (!isJsonObject(list) && keys.master === undefined) return undefined;
  const devices = new Map<string, RemoteDeviceRow>();
  for (const [deviceId, json] of Object.entries(isJsonObject(list) ? list : {}).slice(0, MOST_DEVICES)) {
    const unsigned = isJsonObject(json) && isJsonObject(json.unsigned) ? json.unsigned : {};
    const device = readDevice(userId, deviceId, json, unsigned.device_display_name);
    if (device !== undefined) devices.set(deviceId, device);
  }
  return { devices, ...(await readCrossSigning(userId, keys, ed25519)) };
}

const readMaster = (userId: string, key: JsonValue | undefined) => read(userId, key, "master");

function read(
  userId: string,
  key: JsonValue | undefined,
  usage: "master" | "self_signing",
): CrossSigningKey | undefined {
  if (!isJsonObject(key) || JSON.stringify(key).length > MAX_KEYS) return undefined;
  return readCrossSigningKey(key, userId, usage);
}

/** Undefined for what is malformed. */
function refused<T>(make: () => T): T | undefined {
  try {
    return make();
  } catch (error) {
    if (error instanceof MatrixError) return undefined;
    throw error;
  }
}

function isSignedBy(
  master: CrossSigningKey,
  key: CrossSigningKey,
  userId: string,
  ed25519: Ed25519,
): Promise<boolean> {
  return requireSignedByMaster(key, master, userId, ed25519).then(
    () => true,
    (error: unknown) => {
      if (error instanceof MatrixError) return false;
      throw error;
    },
  );
}
