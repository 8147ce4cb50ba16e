import { domainOf } from "../../src/matrix/domain.ts";
import { parsePdu } from "../../src/matrix/event-format.ts";
import { contentHash } from "../../src/matrix/hashes.ts";
import type { JsonObject, JsonValue } from "../../src/matrix/json.ts";
import type { RoomVersionRules } from "../../src/matrix/room-versions.ts";
import { type RefEvent, refEvent } from "./events.ts";

/** What a user wants of the room. */
export type Intent = {
  readonly type: string;
  readonly state_key?: string;
  readonly content: JsonObject;
  /** The event to redact; it goes where the room version has it. */
  readonly redacts?: string;
};

/** Where and when in the room an event is sent. */
export type Place = {
  /** Undefined for a create event of v12. */
  readonly roomId: string | undefined;
  readonly prev: readonly RefEvent[];
  readonly auth: readonly RefEvent[];
  /** In milliseconds. */
  readonly time: number;
  /** As the sender claims it; one more than the greatest of `prev` if left out. */
  readonly depth?: number;
  /** No other event of the room has it: v1 and v2 make the event id of it. */
  readonly number: number;
};

/** Makes an event with real hashes and ids, and without signatures. It may be one that no room would accept. */
export function makeEvent(rules: RoomVersionRules, sender: string, intent: Intent, place: Place): RefEvent {
  const draft: JsonObject = {
    type: intent.type,
    sender,
    content: { ...intent.content },
    origin_server_ts: place.time,
    depth: place.depth ?? 1 + Math.max(0, ...place.prev.map(({ pdu }) => pdu.depth)),
    prev_events: place.prev.map((event) => reference(event, rules)),
    auth_events: place.auth.map((event) => reference(event, rules)),
    signatures: {},
  };
  if (place.roomId !== undefined) draft.room_id = place.roomId;
  if (intent.state_key !== undefined) draft.state_key = intent.state_key;
  if (intent.redacts !== undefined) {
    if (rules.redactsInContent) draft.content = { ...intent.content, redacts: intent.redacts };
    else draft.redacts = intent.redacts;
  }
  if (rules.eventIdFormat === "domain") draft.event_id = `$${place.number}:${domainOf(sender)}`;
  draft.hashes = { sha256: contentHash(draft, rules) };
  return refEvent(parsePdu(draft, rules), rules);
}

function reference({ eventId, pdu }: RefEvent, rules: RoomVersionRules): JsonValue {
  return rules.eventIdFormat === "domain" ? [eventId, { sha256: pdu.hashes.sha256 }] : eventId;
}
