import { isJsonObject } from "./json.ts";
import type { Pdu } from "./pdu.ts";
import { relationOf } from "./threads.ts";

/** What is asked of an event here. */
type Event = { eventId: string; pdu: Pick<Pdu, "type" | "sender" | "state_key" | "content"> };

/**
 * Whether an event may be edited at all: state events may not, nor may edits.
 * @see https://spec.matrix.org/v1.19/client-server-api/#validity-of-replacement-events
 */
export function isReplaceable({ pdu }: Pick<Event, "pdu">): boolean {
  return pdu.state_key === undefined && relationOf(pdu.content)?.rel_type !== "m.replace";
}

/**
 * Whether an event is a valid edit of another one of the same room (which is the caller's to see to). An encrypted
 * edit has its `m.new_content` where no server sees it; and as both must be of one type, what is encrypted is edited
 * by what is encrypted.
 * @see https://spec.matrix.org/v1.19/client-server-api/#validity-of-replacement-events
 */
export function isValidReplacement(original: Event, replacement: Event): boolean {
  const { type, sender, state_key, content } = replacement.pdu;
  const relation = relationOf(content);
  return (
    isReplaceable(original) &&
    relation?.rel_type === "m.replace" &&
    relation.event_id === original.eventId &&
    type === original.pdu.type &&
    sender === original.pdu.sender &&
    state_key === undefined &&
    (type === "m.room.encrypted" || isJsonObject(content["m.new_content"]))
  );
}

/**
 * The edit that counts, of several valid ones: by `origin_server_ts`, then by event id.
 * @see https://spec.matrix.org/v1.19/client-server-api/#server-side-aggregation-of-mreplace-relationships
 */
export function latestReplacement<E extends { eventId: string; pdu: { origin_server_ts: number } }>(
  replacements: readonly E[],
): E | undefined {
  let latest: E | undefined;
  for (const each of replacements) if (latest === undefined || isLater(each, latest)) latest = each;
  return latest;
}

function isLater<E extends { eventId: string; pdu: { origin_server_ts: number } }>(
  one: E,
  other: E,
): boolean {
  const [ts, otherTs] = [one.pdu.origin_server_ts, other.pdu.origin_server_ts];
  return ts === otherTs ? one.eventId > other.eventId : ts > otherTs;
}
