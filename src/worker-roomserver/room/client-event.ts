import type { JsonObject } from "../../matrix/json.ts";
import type { Membership } from "../storage/schema.ts";
import type { ClientEvent, StoredEvent, Viewer } from "./api.ts";

/** What `unsigned` says beyond the event and what became of it. */
export type Surroundings = {
  /** Of who gets the event, when it was sent. */
  membership?: Membership | undefined;
  /** `m.relations`: what is summed up of the events that relate to it. */
  relations?: JsonObject | undefined;
};

/**
 * An event in the form that clients get.
 * @param form - `full` has `room_id`; `/sync` leaves it out
 * @param now - milliseconds since 1970, for `unsigned.age`
 * @see https://spec.matrix.org/v1.19/client-server-api/#room-event-format
 */
export function clientEvent(
  event: StoredEvent,
  to: Viewer,
  form: "sync" | "full",
  now: number,
  around: Surroundings = {},
): ClientEvent {
  const { pdu } = event;
  const redacts = pdu.type === "m.room.redaction" ? (pdu.redacts ?? pdu.content.redacts) : undefined;
  return {
    type: pdu.type,
    sender: pdu.sender,
    content: typeof redacts === "string" ? { ...pdu.content, redacts } : pdu.content,
    ...(pdu.state_key !== undefined && { state_key: pdu.state_key }),
    event_id: event.eventId,
    origin_server_ts: pdu.origin_server_ts,
    // Clients of either generation look in one of the two places, so both are given.
    ...(redacts !== undefined && { redacts }),
    ...(form === "full" && { room_id: event.roomId }),
    unsigned: unsignedOf(event, to, now, around),
  };
}

function unsignedOf(
  event: StoredEvent,
  to: Viewer,
  now: number,
  { membership, relations }: Surroundings,
): JsonObject {
  const unsigned: JsonObject = { age: Math.max(0, now - event.pdu.origin_server_ts) };
  if (event.replaced !== undefined) {
    unsigned.replaces_state = event.replaced.eventId;
    unsigned.prev_content = event.replaced.content;
    unsigned.prev_sender = event.replaced.sender;
  }
  if (event.redaction !== undefined) {
    unsigned.redacted_because = clientEvent(event.redaction, to, "full", now);
  }
  // A transaction id is the business of the device that chose it, and of nobody else.
  if (event.sentBy?.[0] === (to.deviceId ?? "") && event.pdu.sender === to.userId) {
    unsigned.transaction_id = event.sentBy[1];
  }
  if (membership !== undefined) unsigned.membership = membership;
  if (relations !== undefined) unsigned["m.relations"] = relations;
  return unsigned;
}

/** The stripped form of a state event, as invites carry it. */
export function strippedEvent({ pdu }: StoredEvent): JsonObject {
  return {
    type: pdu.type,
    sender: pdu.sender,
    state_key: pdu.state_key ?? "",
    content: pdu.content,
    origin_server_ts: pdu.origin_server_ts,
  };
}
