import { forbidden, notFound } from "../../matrix/errors.ts";
import type { JsonObject } from "../../matrix/json.ts";
import type { Requester } from "../node/requester.ts";
import { parsePositionToken, positionToken } from "../node/tokens.ts";
import type { KnownDevice } from "../users/api.ts";
import type { DehydratedDevice, DehydratedDeviceBody } from "./api.ts";
import { checkUpload, publishing } from "./device-keys.ts";
import type { KeyParts } from "./parts.ts";

/** As many as a sync may have. */
const MESSAGES_AT_ONCE = 100;

/** @see Keys.putDehydratedDevice */
export async function putDehydratedDevice(
  parts: KeyParts,
  { userId }: Requester,
  body: DehydratedDeviceBody,
): Promise<void> {
  const { device_id: deviceId, device_data: data } = body;
  const displayName = body.initial_device_display_name ?? "";
  const checked = await checkUpload(parts, userId, deviceId, body);
  await parts.users.holding([userId], async () => {
    if ((await parts.users.devicesOf(userId)) === undefined) {
      throw forbidden("This account has been deactivated.");
    }
    const replace = await parts.users.replacingDehydrated(userId, { deviceId, displayName, data });
    const publish = await publishing(parts, [userId, deviceId], checked, true);
    await parts.storage.commit((write) => {
      replace(write);
      publish(write);
    });
  });
}

/** @see Keys.dehydratedDevice */
export async function dehydratedDevice(
  parts: Pick<KeyParts, "users">,
  { userId }: Requester,
): Promise<DehydratedDevice> {
  const { deviceId, dehydrated } = await find(parts, userId);
  return { device_id: deviceId, device_data: dehydrated };
}

/** @see Keys.deleteDehydratedDevice */
export function deleteDehydratedDevice(parts: KeyParts, { userId }: Requester): Promise<string> {
  return parts.users.holding([userId], async () => {
    const { deviceId } = await find(parts, userId);
    await parts.storage.commit(await parts.users.replacingDehydrated(userId, undefined));
    return deviceId;
  });
}

/** @see Keys.dehydratedDeviceEvents */
export async function dehydratedDeviceEvents(
  parts: Pick<KeyParts, "users" | "storage" | "toDevice">,
  { userId }: Requester,
  deviceId: string,
  { from, limit }: { from: string | undefined; limit: number },
): Promise<{ events: JsonObject[]; next_batch?: string }> {
  const devices = (await parts.users.devicesOf(userId)) ?? [];
  if (!devices.some((device) => device.deviceId === deviceId && device.dehydrated !== undefined)) {
    throw forbidden("This is not your dehydrated device.");
  }
  const after = from === undefined ? 0 : parsePositionToken(from, "next_batch");
  const { position } = parts.storage;
  const page = { after, upTo: position, limit: Math.min(Math.max(limit, 1), MESSAGES_AT_ONCE) };
  const { messages, upTo } = await parts.toDevice.messages(userId, deviceId, page);
  const events = messages.map(({ event }) => event);
  return events.length === 0 ? { events } : { events, next_batch: positionToken(upTo) };
}

/** @throws MatrixError M_NOT_FOUND 404 */
async function find(
  { users }: Pick<KeyParts, "users">,
  userId: string,
): Promise<KnownDevice & { dehydrated: JsonObject }> {
  for (const { dehydrated, ...device } of (await users.devicesOf(userId)) ?? []) {
    if (dehydrated !== undefined) return { ...device, dehydrated };
  }
  throw notFound("You have no dehydrated device.");
}
