import { notFound } from "../../matrix/errors.ts";
import { parseUserId, type ServerName, serverNameOf } from "../../matrix/identifiers.ts";
import type { JsonObject } from "../../matrix/json.ts";
import type { Storage } from "../storage/api.ts";
import type { KnownDevice } from "../users/api.ts";
import type { Failures, QueryAnswer, UserDevices, WantedDevices } from "./api.ts";
import { lastChange } from "./list-changes.ts";
import type { KeyParts } from "./parts.ts";
import { parsed, startingWith } from "./rows.ts";
import { signaturesBy, withSignatures } from "./signature-rows.ts";

/** Users that are looked up together: a request may name tens of thousands. */
const TOGETHER = 100;
/** As the spec recommends it to clients. */
const USUAL_PATIENCE_MS = 10_000;
const MAX_PATIENCE_MS = 30_000;

type QueryParts = Pick<KeyParts, "storage" | "users" | "serverName" | "settings">;

/** What somebody may see of a user's keys. */
type SeenKeys = {
  devices: { device: Pick<KnownDevice, "deviceId" | "displayName">; keys: JsonObject }[];
  /** By usage. */
  crossSigning: Map<string, JsonObject>;
};

/** @see Keys.query */
export async function query(
  parts: QueryParts & Pick<KeyParts, "remote">,
  viewer: string,
  wanted: WantedDevices,
  timeoutMs?: number,
): Promise<QueryAnswer> {
  const { local, elsewhere } = split(parts.serverName, wanted);
  const [own, others] = await Promise.all([
    localKeys(parts, viewer, local),
    remoteKeys(parts, viewer, elsewhere, timeoutMs),
  ]);
  return answered([...own, ...others.found], others.failures);
}

/**
 * Of users of this server alone.
 * @param viewer - undefined: another server, whose users see what the keys' owner has signed alone
 */
export async function queryLocal(
  parts: QueryParts,
  viewer: string | undefined,
  wanted: WantedDevices,
): Promise<QueryAnswer> {
  return answered(await localKeys(parts, viewer, split(parts.serverName, wanted).local), {});
}

type Found = [userId: string, keys: SeenKeys][];

async function localKeys(
  parts: QueryParts,
  viewer: string | undefined,
  wanted: WantedDevices,
): Promise<Found> {
  const local = Object.keys(wanted);
  const found: Found = [];
  for (let at = 0; at < local.length; at += TOGETHER) {
    const part = local.slice(at, at + TOGETHER);
    const keys = await Promise.all(part.map((userId) => keysOf(parts, viewer, userId, wanted[userId])));
    part.forEach((userId, i) => {
      if (keys[i] !== undefined) found.push([userId, keys[i]]);
    });
  }
  return found;
}

async function remoteKeys(
  { remote, storage }: QueryParts & Pick<KeyParts, "remote">,
  viewer: string,
  wanted: WantedDevices,
  timeoutMs: number | undefined,
): Promise<{ found: Found; failures: Failures }> {
  if (Object.keys(wanted).length === 0) return { found: [], failures: {} };
  const { users, failures } = await remote.query(wanted, patience(timeoutMs));
  const found = await Promise.all(
    [...users].map(async ([userId, { devices, master, selfSigning }]): Promise<Found[number]> => {
      const signed =
        master && withSignatures(master, await masterSignatures(storage, viewer, userId, master));
      return [
        userId,
        {
          devices: devices.map(({ deviceId, displayName, keys }) => ({
            device: { deviceId, displayName },
            keys,
          })),
          crossSigning: new Map<string, JsonObject>([
            ...(signed ? [["master", signed] as const] : []),
            ...(selfSigning ? [["self_signing", selfSigning] as const] : []),
          ]),
        },
      ];
    }),
  );
  return { found, failures };
}

async function masterSignatures(storage: Storage, viewer: string, userId: string, master: JsonObject) {
  const [publicKey] = Object.values(master.keys as { [keyId: string]: string });
  return (await signaturesBy(storage, viewer, userId)).get(publicKey!) ?? [];
}

function answered(found: Found, failures: Failures): QueryAnswer {
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
 * Tells users of this server from others.
 * @throws MatrixError M_INVALID_PARAM 400 for what is no user id
 */
export function split<T>(
  serverName: ServerName,
  wanted: { [userId: string]: T },
): { local: { [userId: string]: T }; elsewhere: { [userId: string]: T } } {
  const isLocal = ([userId]: [string, T]) => serverNameOf(parseUserId(userId)) === serverName;
  const all = Object.entries(wanted);
  return {
    local: Object.fromEntries(all.filter(isLocal)),
    elsewhere: Object.fromEntries(all.filter((each) => !isLocal(each))),
  };
}

/** Milliseconds for other servers: what a client has asked for, within reason. */
export const patience = (timeoutMs = USUAL_PATIENCE_MS) => Math.min(Math.max(timeoutMs, 0), MAX_PATIENCE_MS);

/** @param wanted - device ids; none, or undefined: all */
async function keysOf(
  { storage, users, settings }: QueryParts,
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
  const showsNames = viewer !== undefined || settings().device_names_for_servers;
  const seen = (json: string, name: string) =>
    withSignatures(parsed(json), [...(own.get(name) ?? []), ...(viewers.get(name) ?? [])]);
  return {
    devices: devices.flatMap((device) => {
      const json = published.get(device.deviceId);
      if (json === undefined || (asked.size > 0 && !asked.has(device.deviceId))) return [];
      const { deviceId } = device;
      const displayName = showsNames ? device.displayName : "";
      return [{ device: { deviceId, displayName }, keys: seen(json, deviceId) }];
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
