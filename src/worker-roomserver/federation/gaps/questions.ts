import { MatrixError } from "../../../matrix/errors.ts";
import { isEventId } from "../../../matrix/identifiers.ts";
import { isJsonObject, type JsonValue } from "../../../matrix/json.ts";
import { elementTexts } from "../../../matrix/json-parts.ts";
import { sliceElements, sliceMembers } from "../../../matrix/json-slices.ts";
import type { FederationRequest } from "../api.ts";

// What one server asks another about a room's graph, and how the answers are read: events by their own text.

type Request = Omit<FederationRequest, "destination">;

const SOON_MS = 10_000;
/** States of large rooms take time to find and to send. */
const STATE_MS = 40_000;
const MIB = 1024 * 1024;
/** As many as `get_missing_events` gives at a time. */
export const MISSING_AT_ONCE = 20;
/** A room of a hundred thousand members has as many, which is more than any has had. */
const MOST_IDS = 200_000;

const V1 = "/_matrix/federation/v1";
const at = (roomId: string, eventId: string) =>
  `${encodeURIComponent(roomId)}?event_id=${encodeURIComponent(eventId)}`;
const get = (uri: string, timeoutMs: number, maxBytes: number): Request => ({
  ...{ method: "GET", uri, timeoutMs, maxBytes },
});

/** @see https://spec.matrix.org/v1.19/server-server-api/#post_matrixfederationv1get_missing_eventsroomid */
export const missingEventsOf = (
  roomId: string,
  { earliest, latest, minDepth }: { earliest: string[]; latest: string[]; minDepth: number },
): Request => ({
  method: "POST",
  uri: `${V1}/get_missing_events/${encodeURIComponent(roomId)}`,
  content: {
    ...{ earliest_events: earliest, latest_events: latest },
    ...{ limit: MISSING_AT_ONCE, min_depth: minDepth },
  },
  timeoutMs: SOON_MS,
  maxBytes: 4 * MIB,
});

/** @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1eventeventid */
export const eventOf = (eventId: string): Request =>
  get(`${V1}/event/${encodeURIComponent(eventId)}`, SOON_MS, MIB);

/** @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1event_authroomideventid */
export const eventAuthOf = (roomId: string, eventId: string): Request =>
  get(`${V1}/event_auth/${encodeURIComponent(roomId)}/${encodeURIComponent(eventId)}`, STATE_MS, 16 * MIB);

/** @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1state_idsroomid */
export const stateIdsAt = (roomId: string, eventId: string): Request =>
  get(`${V1}/state_ids/${at(roomId, eventId)}`, STATE_MS, 16 * MIB);

/** @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1stateroomid */
export const stateAt = (roomId: string, eventId: string): Request =>
  get(`${V1}/state/${at(roomId, eventId)}`, STATE_MS, 64 * MIB);

/** @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1backfillroomid */
export const backfillFrom = (roomId: string, eventIds: readonly string[], limit: number): Request => {
  const from = eventIds.map((eventId) => `v=${encodeURIComponent(eventId)}&`).join("");
  return get(`${V1}/backfill/${encodeURIComponent(roomId)}?${from}limit=${limit}`, SOON_MS, 16 * MIB);
};

/** The texts of a list in an answer; none where there is no such list. */
export function textsIn(text: string, key: string): string[] {
  return readable(() => elementTexts(text, key)) ?? [];
}

/** The texts of several lists of a large answer, of which no other copy is made. */
export function textsInAll(text: string, keys: readonly string[]): string[] {
  return (
    readable(() => {
      const members = sliceMembers(text);
      return keys.flatMap((key) => sliceElements(members.get(key) ?? "[]"));
    }) ?? []
  );
}

/** @returns undefined for what is no answer to `state_ids` */
export function readStateIds(json: JsonValue): { pduIds: string[]; authChainIds: string[] } | undefined {
  if (!isJsonObject(json)) return undefined;
  const { pdu_ids, auth_chain_ids } = json;
  if (!Array.isArray(pdu_ids) || !Array.isArray(auth_chain_ids)) return undefined;
  if (pdu_ids.length + auth_chain_ids.length > MOST_IDS) return undefined;
  return { pduIds: idsIn(pdu_ids), authChainIds: idsIn(auth_chain_ids) };
}

const idsIn = (values: readonly JsonValue[]): string[] => [...new Set(values.filter((id) => isEventId(id)))];

function readable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof MatrixError) return undefined;
    throw error;
  }
}
