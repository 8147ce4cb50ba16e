import { isUserId } from "./identifiers.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "./json.ts";
import { utf8Length } from "./utf8.ts";

/**
 * The types whose events tell somebody which room they are invited to, or knock at: those that matter most come first.
 * @see https://spec.matrix.org/v1.19/client-server-api/#stripped-state
 */
export const strippedStateTypes = [
  "m.room.create",
  "m.room.name",
  "m.room.avatar",
  "m.room.topic",
  "m.room.join_rules",
  "m.room.canonical_alias",
  "m.room.encryption",
] as const;

/** Bytes of JSON that all stripped state of an invite may have: that of an event, as a room's texts are to be short. */
const maxStrippedBytes = 65_536;

/** An event as people get it who are not in its room; undefined for what has not even that form. */
function strippedForm(value: JsonValue | undefined): JsonObject | undefined {
  if (!isJsonObject(value)) return undefined;
  const { type, sender, state_key, content, origin_server_ts } = value;
  if (typeof type !== "string" || typeof state_key !== "string") return undefined;
  if (!isUserId(sender) || !isJsonObject(content)) return undefined;
  const hasTime = Number.isSafeInteger(origin_server_ts);
  return { type, sender, state_key, content, ...(hasTime && { origin_server_ts: origin_server_ts! }) };
}

/**
 * Of what another server has told of a room, that which is shown to who is invited: the events of `strippedStateTypes`,
 * each once, and the member event of the sender, stripped, as much as there is room for.
 * @param told - PDUs or stripped events, or anything: what has not the form is left out
 * @param userId - the sender of the invite
 */
export function shownStrippedState(told: readonly JsonValue[], userId: string): JsonObject[] {
  const events = told.map(strippedForm).filter((event) => event !== undefined);
  const shown: JsonObject[] = [];
  let left = maxStrippedBytes;
  const keys = [...strippedStateTypes.map((type) => [type, ""]), ["m.room.member", userId]];
  for (const [type, stateKey] of keys) {
    const event = events.findLast((one) => one.type === type && one.state_key === stateKey);
    const bytes = event === undefined ? 0 : utf8Length(JSON.stringify(event));
    if (event === undefined || bytes > left) continue;
    left -= bytes;
    shown.push(event);
  }
  return shown;
}
