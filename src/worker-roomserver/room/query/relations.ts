import { invalidParam } from "../../../matrix/errors.ts";
import { jsonBytes } from "../../node/json-bytes.ts";
import type { JsonBytes, Requester } from "../../node/requester.ts";
import { parsePositionToken, positionToken } from "../../node/tokens.ts";
import type { RelationsQuery, StoredEvent } from "../api.ts";
import type { RoomParts } from "../parts.ts";
import { presented } from "./aggregations.ts";
import { descendants, RECURSION_DEPTH } from "./descendants.ts";
import { isHeard } from "./ignored.ts";
import { type Related, type RelatedPage, relatedTo, restOf, type Stretch } from "./relation-rows.ts";
import { visibleEvent } from "./visible-event.ts";

/** Relations looked at for one answer: a filter that lets nearly nothing through must not read them all. */
const SCANNED = 2_000;
const BATCH = 100;
/** Events read together at least, as some may turn out not to be visible. */
const READ_TOGETHER = 20;

type Page = {
  events: StoredEvent[];
  /** Where to go on; undefined at the end. */
  next: number | undefined;
};

/**
 * `GET /rooms/{roomId}/relations/{eventId}` with and without `/{relType}` and `/{eventType}`. Tokens are those of the
 * timeline, so that what comes while a client turns pages moves none of them.
 *
 * Costs at most 2,000 small rows and the events that are shown; with `recurse` what `descendants` says.
 * @param ignored - users whose events are left out
 * @throws MatrixError M_NOT_FOUND (404) for an event that is not there or may not be seen,
 *   M_INVALID_PARAM (400)
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1roomsroomidrelationseventidreltypeeventtype
 */
export async function relations(
  parts: RoomParts,
  requester: Requester,
  roomId: string,
  eventId: string,
  query: RelationsQuery,
  ignored: ReadonlySet<string> = new Set(),
): Promise<JsonBytes> {
  const { dir, limit, recurse } = query;
  if (limit < 1) throw invalidParam('"limit" must be 1 or more.');
  const from = query.from === undefined ? undefined : parsePositionToken(query.from, "from");
  const to = query.to === undefined ? undefined : parsePositionToken(query.to, "to");
  const { event: parent, access } = await visibleEvent(parts, requester, roomId, eventId);
  const [oldest, newest] = dir === "b" ? [to, from] : [from, to];
  const stretch: Stretch = {
    dir,
    after: oldest ?? Number.NEGATIVE_INFINITY,
    upTo: Math.min(newest ?? Number.POSITIVE_INFINITY, access.end),
  };
  const isWanted = ({ relType, eventType }: Related) =>
    (query.relType === undefined || relType === query.relType) &&
    (query.eventType === undefined || eventType === query.eventType);
  const read = recurse ? recursive(parts, parent, isWanted) : direct(parts, parent, isWanted);
  const shownOf = async (events: readonly StoredEvent[]) =>
    (await parts.visibility.visibleTo(requester.userId, events)).filter(isHeard(ignored));
  const page = await readPage(parts, read, shownOf, { stretch, limit });
  return jsonBytes({
    chunk: await presented(parts, requester, page.events, { form: "full", ignored }),
    ...(page.next !== undefined && { next_batch: positionToken(page.next) }),
    // Between the same two events, whichever way one goes from there.
    ...(query.from !== undefined && { prev_batch: query.from }),
    ...(recurse !== undefined && { recursion_depth: recurse ? RECURSION_DEPTH : 0 }),
  });
}

type Read = (stretch: Stretch) => Promise<RelatedPage & { scanned: number }>;

function direct(parts: RoomParts, parent: StoredEvent, isWanted: (one: Related) => boolean): Read {
  return async (stretch) => {
    const [page] = await relatedTo(parts.storage, parent.room, [parent.eventId], stretch, BATCH);
    return { related: page!.related.filter(isWanted), rest: page!.rest, scanned: page!.related.length };
  };
}

function recursive(parts: RoomParts, parent: StoredEvent, isWanted: (one: Related) => boolean): Read {
  return async (stretch) => ({
    ...(await descendants(parts, parent.room, parent, stretch, isWanted)),
    // It has looked at a lot already, whatever came of it.
    scanned: SCANNED,
  });
}

/** Reads on until enough events may be shown, or enough has been looked at. */
async function readPage(
  parts: RoomParts,
  read: Read,
  shownOf: (events: readonly StoredEvent[]) => Promise<StoredEvent[]>,
  { stretch, limit }: { stretch: Stretch; limit: number },
): Promise<Page> {
  const events: StoredEvent[] = [];
  // The token of a place names the event before it: going back, that is the first one that is not shown.
  const placeBetween = (last: { order: number }, next: { order: number }) =>
    (stretch.dir === "b" ? next : last).order;
  let left = stretch;
  for (let scanned = 0; ; ) {
    const page = await read(left);
    for (let at = 0; at < page.related.length; ) {
      const missing = limit - events.length;
      if (missing === 0) return { events, next: placeBetween(page.related[at - 1]!, page.related[at]!) };
      const together = page.related.slice(at, at + Math.max(missing, READ_TOGETHER));
      const shown = await shownOf(await parts.events.get(together.map(({ nid }) => nid)));
      events.push(...shown.slice(0, missing));
      if (shown.length > missing) return { events, next: placeBetween(shown[missing - 1]!, shown[missing]!) };
      at += together.length;
    }
    scanned += page.scanned;
    const { rest } = page;
    if (rest === undefined || events.length === limit || scanned >= SCANNED) return { events, next: rest };
    left = restOf(left, rest);
  }
}
