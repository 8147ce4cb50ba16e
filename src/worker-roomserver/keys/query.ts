import { notFound } from "../../matrix/errors.ts";
import { parseUserId, type ServerName, serverNameOf } from "../../matrix/identifiers.ts";
import type { JsonObject } from "../../matrix/json.ts";
import type { KnownDevice } from "../users/api.ts";
import type { Failures, QueryAnswer, UserDevices, WantedDevices } from "./api.ts";
import { lastChange } from "./list-changes.ts";
import type { KeyParts } from "./parts.ts";
import { parsed, startingWith } from "./rows.ts";
import { signaturesBy, withSignatures } from "./signature-rows.ts";

/** Users that are looked up together: a request may name tens of thousands. */
const TOGETHER = 100;

type QueryParts = Pick<KeyParts, "storage" | "users" | "serverName">;

/** What somebody may see of a user's keys. */
type SeenKeys = {
  devices: { device: KnownDevice; keys: JsonObject }[];
  /** By usage. */
  crossSigning: Map<string, JsonObject>;
};

/**
 * @param viewer - undefined: another server, whose users see what the keys' owner has signed alone
 * @see Keys.query
 */
export async function query(
  parts: QueryParts,
  viewer: string | undefined,
  wanted: WantedDevices,
): Promise<QueryAnswer> {
  const { local, failures } = split(parts.serverName, Object.keys(wanted));
  const found: [userId: string, keys: SeenKeys][] = [];
  for (let at = 0; at < local.length; at += TOGETHER) {
    const part = local.slice(at, at + TOGETHER);
    const keys = await Promise.all(part.map((userId) => keysOf(parts, viewer, userId, wanted[userId])));
    part.forEach((userId, i) => {
      if (keys[i] !== undefined) found.push([userId, keys[i]]);
    });
  }
  const crossSigning = (usage: string) =>
    Object.fromEntries(
      found.flatMap(([userId, keys]) => {
        const key = keys.crossSigning.get(usage);
        return key === undefined ? [] : [[userId, key]];
      }),
    );
  return {
    device_keys: Object.fromEntries(found.map(([userId, { devices }]) => [userId, described(devices)])),
    master_keys: crossSigning("master"),
    self_signing_keys: crossSigning("self_signing"),
    user_signing_keys: crossSigning("user_signing"),
    failures,
  };
}

/** @see KeysForServers.userDevices */
export async function userDevices(parts: QueryParts, userId: string): Promise<UserDevices> {
  const [keys, streamId] = await Promise.all([
    keysOf(parts, undefined, userId, undefined),
    lastChange(parts.storage, userId),
  ]);
  if (keys === undefined) throw notFound("There is no such user here.");
  const master = keys.crossSigning.get("master");
  const selfSigning = keys.crossSigning.get("self_signing");
  return {
    user_id: userId,
    stream_id: streamId,
    devices: keys.devices.map(({ device, keys }) => ({
      device_id: device.deviceId,
      ...(device.displayName !== "" && { device_display_name: device.displayName }),
      keys,
    })),
    ...(master && { master_key: master }),
    ...(selfSigning && { self_signing_key: selfSigning }),
  };
}

/**
 * Tells users of this server from others, who cannot be asked about.
 * @throws MatrixError M_INVALID_PARAM 400 for what is no user id
 */
export function split(
  serverName: ServerName,
  userIds: readonly string[],
): { local: string[]; failures: Failures } {
  const local: string[] = [];
  const failures = new Map<string, JsonObject>();
  for (const userId of userIds) {
    const server = serverNameOf(parseUserId(userId));
    if (server === serverName) local.push(userId);
    else failures.set(server, { errcode: "M_UNKNOWN", error: "This server could not be reached." });
  }
  return { local, failures: Object.fromEntries(failures) };
}

/** @param wanted - device ids; none, or undefined: all */
async function keysOf(
  { storage, users }: QueryParts,
  viewer: string | undefined,
  userId: string,
  wanted: readonly string[] | undefined,
): Promise<SeenKeys | undefined> {
  const range = startingWith(userId);
  const isOther = viewer !== undefined && viewer !== userId;
  const [devices, places, rows, usages, crossSigning, own, viewers] = await Promise.all([
    users.devicesOf(userId),
    storage.getAllKeys("deviceKeys", range),
    storage.getAll("deviceKeys", range),
    storage.getAllKeys("crossSigningKeys", range),
    storage.getAll("crossSigningKeys", range),
    signaturesBy(storage, userId, userId),
    isOther ? signaturesBy(storage, viewer, userId) : new Map<string, never>(),
  ]);
  if (devices === undefined) return undefined;
  const published = new Map(places.map(([, deviceId], i) => [deviceId, rows[i]!]));
  const asked = new Set(wanted);
  const seen = (json: string, name: string) =>
    withSignatures(parsed(json), [...(own.get(name) ?? []), ...(viewers.get(name) ?? [])]);
  return {
    devices: devices.flatMap((device) => {
      const json = published.get(device.deviceId);
      if (json === undefined || (asked.size > 0 && !asked.has(device.deviceId))) return [];
      return [{ device, keys: seen(json, device.deviceId) }];
    }),
    crossSigning: new Map(
      usages.flatMap(([, usage], i) => {
        // Whom a user has verified is theirs alone to know.
        if (usage === "user_signing" && viewer !== userId) return [];
        const key = parsed(crossSigning[i]!);
        const [publicKey] = Object.values(key.keys as { [keyId: string]: string });
        return [[usage, seen(crossSigning[i]!, publicKey!)]];
      }),
    ),
  };
}

function described(devices: SeenKeys["devices"]): { [deviceId: string]: JsonObject } {
  return Object.fromEntries(
    devices.map(({ device, keys }) => {
      const unsigned = device.displayName === "" ? {} : { device_display_name: device.displayName };
      return [device.deviceId, { ...keys, unsigned }];
    }),
  );
}
