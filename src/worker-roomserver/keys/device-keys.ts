import { canonicalJson } from "../../matrix/canonical-json.ts";
import { checkDeviceKeys, signedText } from "../../matrix/device-keys.ts";
import { MatrixError } from "../../matrix/errors.ts";
import type { JsonObject } from "../../matrix/json.ts";
import { type NamedKey, readFallbackKeys, readNamedKeys } from "../../matrix/one-time-keys.ts";
import type { Requester } from "../node/requester.ts";
import { requireDevice } from "../node/require-device.ts";
import type { Write } from "../storage/api.ts";
import type { KeyCounts, UploadBody } from "./api.ts";
import { tellAll } from "./list-changes.ts";
import type { KeyParts } from "./parts.ts";
import { parsed } from "./rows.ts";
import { removeSignatures } from "./signature-rows.ts";

/** Keys that a device publishes, found good. */
export type CheckedUpload = {
  deviceKeys: JsonObject | undefined;
  oneTime: NamedKey[];
  fallback: NamedKey[];
};

/** @throws MatrixError as Keys.upload does, but for what depends on the keys that are there */
export async function checkUpload(
  { ed25519 }: Pick<KeyParts, "ed25519">,
  userId: string,
  deviceId: string,
  body: UploadBody,
): Promise<CheckedUpload> {
  const keys = body.device_keys;
  return {
    deviceKeys: keys && (await checkDeviceKeys(keys, userId, deviceId, ed25519)),
    oneTime: readNamedKeys(body.one_time_keys ?? {}),
    fallback: readFallbackKeys(body.fallback_keys ?? {}),
  };
}

/** @see Keys.upload */
export async function upload(parts: KeyParts, requester: Requester, body: UploadBody): Promise<KeyCounts> {
  const { userId, deviceId } = requireDevice(requester);
  const checked = await checkUpload(parts, userId, deviceId, body);
  return parts.users.holding([userId], async () => {
    const devices = await parts.users.devicesOf(userId);
    // It may have been logged out while its keys were checked: no keys may stay of a device that is gone.
    if (!devices?.some((device) => device.deviceId === deviceId)) {
      throw new MatrixError("M_UNKNOWN_TOKEN", 401, "This device is not logged in any more.");
    }
    const publish = await publishing(parts, [userId, deviceId], checked);
    return parts.storage.commit(publish);
  });
}

/**
 * Reads what a device's keys are added to. To be called, and its result used, while the account is held.
 * @param isReplaced - what there is of a device of this name goes in the same unit, before
 */
export async function publishing(
  { storage, oneTimeKeys }: KeyParts,
  device: [userId: string, deviceId: string],
  checked: CheckedUpload,
  isReplaced = false,
): Promise<(write: Write) => KeyCounts> {
  const { deviceKeys } = checked;
  const json = isReplaced ? undefined : await storage.get("deviceKeys", device);
  const before = json === undefined ? undefined : parsed(json);
  const isAnew =
    isReplaced ||
    (before !== undefined && deviceKeys !== undefined && identity(before) !== identity(deviceKeys));
  const add = await oneTimeKeys.adding(device, checked, isAnew);
  const user = await storage.names.intern(device[0]);
  return (write) => {
    // A client may say again what it has said; those who know it need not look at it again.
    if (deviceKeys !== undefined && (before === undefined || everything(before) !== everything(deviceKeys))) {
      const isSigned = before !== undefined && signedText(before) === signedText(deviceKeys);
      if (!isSigned) removeSignatures(write, ...device);
      write.put("deviceKeys", JSON.stringify(deviceKeys), device);
      tellAll(write, user, { what: "device", deviceId: device[1] });
    }
    return add(write);
  };
}

/** Which secret keys the device has. */
const identity = ({ keys }: JsonObject) => canonicalJson(keys as JsonObject, "lenient");
const everything = (keys: JsonObject) => canonicalJson(keys, "lenient");
