import { isJsonObject, type JsonObject, type JsonValue } from "../../../matrix/json.ts";
import type { ClaimAnswer, NamedKeys, WantedKeys } from "../../keys/api.ts";
import type { FederationClient } from "../api.ts";
import { askServers, byServer } from "./ask-servers.ts";

const MAX_BYTES = 10 * 1024 * 1024;
/** Characters of one key as JSON. */
const MAX_KEY = 8 * 1024;

/**
 * @see RemoteKeys.claim
 * @see https://spec.matrix.org/v1.19/server-server-api/#post_matrixfederationv1userkeysclaim
 */
export async function claimRemote(
  { client, now }: { client: Pick<FederationClient, "request">; now: () => number },
  wanted: WantedKeys,
  timeoutMs: number,
): Promise<ClaimAnswer> {
  const servers = byServer(Object.entries(wanted));
  const found: [string, { [deviceId: string]: NamedKeys }][] = [];
  const failures = await askServers(servers.keys(), { timeoutMs, now }, async (server, left) => {
    const asked = servers.get(server)!;
    const { json } = await client.request({
      ...{ method: "POST", destination: server, timeoutMs: left, maxBytes: MAX_BYTES },
      uri: "/_matrix/federation/v1/user/keys/claim",
      content: { one_time_keys: Object.fromEntries(asked) },
    });
    const answer = isJsonObject(json) ? json.one_time_keys : undefined;
    for (const [userId, devices] of asked) {
      const keys = keysOf(member(answer, userId), devices);
      if (keys.length > 0) found.push([userId, Object.fromEntries(keys)]);
    }
  });
  return { one_time_keys: Object.fromEntries(found), failures };
}

/** One key of each device that was asked about, of the algorithm that was asked for. */
function keysOf(
  given: JsonValue | undefined,
  wanted: { [deviceId: string]: string },
): [deviceId: string, keys: NamedKeys][] {
  return Object.entries(wanted).flatMap(([deviceId, algorithm]) => {
    const keys = member(given, deviceId);
    const [key] = Object.entries(isJsonObject(keys) ? keys : {}).filter(
      ([name, value]) => name.startsWith(`${algorithm}:`) && isKey(value),
    );
    return key === undefined ? [] : [[deviceId, Object.fromEntries([key])] as [string, JsonObject]];
  });
}

const isKey = (key: JsonValue | undefined) =>
  (typeof key === "string" || isJsonObject(key)) && JSON.stringify(key).length <= MAX_KEY;

const member = (object: JsonValue | undefined, name: string) =>
  isJsonObject(object) && Object.hasOwn(object, name) ? object[name] : undefined;
