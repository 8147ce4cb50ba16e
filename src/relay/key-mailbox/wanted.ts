import { badJson } from "../../matrix/errors.ts";
import { isJsonObject, type JsonValue } from "../../matrix/json.ts";
import type { Wanted } from "./key-mailbox.ts";

/** Of one request. A node has no more users here, and a user that many devices is none. */
const MAX_USERS = 64;
const MAX_DEVICES = 1000;

/** @throws {MatrixError} M_BAD_JSON (400) */
export function readKeyQuery(body: JsonValue): Map<string, string[]> {
  const users = isJsonObject(body) ? body.device_keys : undefined;
  return new Map(
    entriesOf(users, "device_keys", MAX_USERS).map(([userId, devices]) => {
      const fits = Array.isArray(devices) && devices.length <= MAX_DEVICES;
      if (!fits || !devices.every((id) => typeof id === "string")) {
        throw badJson('"device_keys" should map user IDs to lists of device IDs.');
      }
      return [userId, devices];
    }),
  );
}

/** @throws {MatrixError} M_BAD_JSON (400) */
export function readKeyClaim(body: JsonValue): Wanted {
  const users = isJsonObject(body) ? body.one_time_keys : undefined;
  return new Map(
    entriesOf(users, "one_time_keys", MAX_USERS).map(([userId, devices]) => [
      userId,
      new Map(
        entriesOf(devices, "one_time_keys", MAX_DEVICES).map(([deviceId, algorithm]) => {
          if (typeof algorithm !== "string") throw badJson("The algorithm of a key to claim is a text.");
          return [deviceId, algorithm];
        }),
      ),
    ]),
  );
}

function entriesOf(
  value: JsonValue | undefined,
  member: string,
  most: number,
): [string, JsonValue | undefined][] {
  if (!isJsonObject(value)) throw badJson(`"${member}" should be an object.`);
  const entries = Object.entries(value);
  if (entries.length > most) throw badJson(`"${member}" names too many.`);
  return entries;
}
