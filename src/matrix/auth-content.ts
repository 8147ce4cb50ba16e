import { isJsonObject, type JsonObject, type JsonValue } from "./json.ts";
import type { Pdu } from "./pdu.ts";
import { levelNames } from "./power-levels.ts";

/**
 * What the auth rules read of an event's content when other events are checked against it. They go by the event as it
 * was sent, so that this has to be kept where a redaction takes it away. It says nothing that is of use to people:
 * memberships, levels, keys.
 * @returns undefined for an event that authorises nothing, or that cannot be redacted
 */
export function authContent({ type, content, state_key: stateKey }: Pdu): JsonObject | undefined {
  if (stateKey === undefined) return undefined;
  switch (type) {
    case "m.room.member":
      return {
        ...pick(content, ["membership", "join_authorised_via_users_server"]),
        ...signedOf(content.third_party_invite),
      };
    case "m.room.power_levels":
      return pick(content, [...levelNames, "users", "events", "notifications"]);
    case "m.room.join_rules":
      return pick(content, ["join_rule"]);
    case "m.room.third_party_invite":
      return {
        ...pick(content, ["public_key"]),
        ...(Array.isArray(content.public_keys) && {
          public_keys: content.public_keys.filter(isJsonObject).map((key) => pick(key, ["public_key"])),
        }),
      };
    default:
      return undefined;
  }
}

function signedOf(invite: JsonValue | undefined): JsonObject {
  if (invite === undefined) return {};
  return { third_party_invite: isJsonObject(invite) ? pick(invite, ["signed"]) : invite };
}

function pick(object: JsonObject, names: readonly string[]): JsonObject {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = Object.hasOwn(object, name) ? object[name] : undefined;
      return value === undefined ? [] : [[name, value]];
    }),
  );
}
