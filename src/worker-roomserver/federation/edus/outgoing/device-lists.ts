import { MatrixError } from "../../../../matrix/errors.ts";
import type { JsonObject } from "../../../../matrix/json.ts";
import type { KeysForServers, UserDevices } from "../../../keys/api.ts";
import type { PositionedEntry } from "../../../log/entry.ts";
import { detailToKeyChange } from "../../../log/key-changes.ts";
import type { Position } from "../../../storage/schema.ts";
import type { OutgoingEdu } from "../../api.ts";
import type { RoomServers } from "../room-servers.ts";
import type { UpdateChain } from "./update-chain.ts";

export type DeviceListSources = {
  keys: Pick<KeysForServers, "userDevices">;
  servers: RoomServers;
  chain: UpdateChain;
};

/**
 * What has changed of a user's keys, as it is now. Each is sent, since each refers to the one before it.
 * @see https://spec.matrix.org/v1.19/server-server-api/#device-management
 */
export async function keyChangesOf(
  { keys, servers, chain }: DeviceListSources,
  { user, detail, position }: PositionedEntry,
  userId: string,
): Promise<OutgoingEdu[]> {
  const { what, deviceId } = detailToKeyChange(detail);
  if (what === "own" || what === "claimed") return [];
  const previous = await chain.previous(user, position);
  const others = [...(await servers.sharingWith(userId))];
  if (others.length === 0) return [];
  const present = await devicesOf(keys, userId);
  const to = (edu_type: string, content: JsonObject): OutgoingEdu => ({
    edu: { edu_type, content },
    servers: others,
    durable: true,
  });
  const place = { userId, position, previous };
  if (what === "device") return [to("m.device_list_update", update(place, present, deviceId))];
  // What stands in for the change in the row of updates, so that the next one follows what others know.
  const [device] = present?.devices ?? [];
  const step = device && to("m.device_list_update", update(place, present, device.device_id));
  const signing = to("m.signing_key_update", {
    user_id: userId,
    ...(present?.master_key && { master_key: present.master_key }),
    ...(present?.self_signing_key && { self_signing_key: present.self_signing_key }),
  });
  return step === undefined ? [signing] : [signing, step];
}

/**
 * What servers are told that come to share a room with a user: that they have to look. It follows no update, as they
 * may know none or an old one.
 */
export async function keysForNewServers(
  { keys }: Pick<DeviceListSources, "keys">,
  userId: string,
  servers: readonly string[],
): Promise<OutgoingEdu[]> {
  const present = await devicesOf(keys, userId);
  const [device] = present?.devices ?? [];
  if (present === undefined || device === undefined) return [];
  const content = update({ userId, position: present.stream_id, previous: 0 }, present, device.device_id);
  return [{ edu: { edu_type: "m.device_list_update", content }, servers, durable: true }];
}

type Place = { userId: string; position: Position; previous: Position };

function update(
  { userId, position, previous }: Place,
  present: UserDevices | undefined,
  deviceId: string,
): JsonObject {
  const device = present?.devices.find(({ device_id }) => device_id === deviceId);
  return {
    user_id: userId,
    ...(device ?? { device_id: deviceId, deleted: true }),
    stream_id: position,
    prev_id: previous === 0 ? [] : [previous],
  };
}

/** Undefined where the account is gone. */
async function devicesOf(keys: DeviceListSources["keys"], userId: string): Promise<UserDevices | undefined> {
  try {
    return await keys.userDevices(userId);
  } catch (error) {
    if (error instanceof MatrixError && error.status === 404) return undefined;
    throw error;
  }
}
