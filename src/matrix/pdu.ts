import type { JsonObject, JsonValue } from "./json.ts";

/**
 * A persistent data unit with its wire names, as it is hashed, signed, stored and sent. What a room version
 * leaves out is absent (`event_id` from v3 on, `room_id` of a v12 create event).
 * Made only by `parsePdu` (event-format.ts), which has checked these fields against the room version.
 * @see https://spec.matrix.org/v1.19/server-server-api/#pdus
 */
export type Pdu = JsonObject & {
  type: string;
  sender: string;
  room_id?: string;
  /** Present on state events only; may be empty. */
  state_key?: string;
  event_id?: string;
  content: JsonObject;
  origin_server_ts: number;
  depth: number;
  /** Ids from v3 on; `[id, {sha256}]` pairs in v1 and v2: read them with `prevEventIds`. */
  prev_events: JsonValue[];
  auth_events: JsonValue[];
  redacts?: string;
  hashes: { sha256: string };
  signatures: { [serverName: string]: { [keyId: string]: string } };
  unsigned?: JsonObject;
};
