import { notFound } from "../../../matrix/errors.ts";
import { filterEvents, parseRoomEventFilter, type RoomEventFilter } from "../../../matrix/filters.ts";
import type { JsonObject } from "../../../matrix/json.ts";
import { jsonBytes } from "../../node/json-bytes.ts";
import type { JsonBytes, Requester } from "../../node/requester.ts";
import { orderBefore, parsePositionToken, positionToken } from "../../node/tokens.ts";
import type { MessagesQuery, StoredEvent } from "../api.ts";
import { clientEvent } from "../client-event.ts";
import type { RoomParts } from "../parts.ts";
import type { SnapshotChain } from "../snapshots.ts";
import { type Access, accessTo } from "./access.ts";
import { presented } from "./aggregations.ts";
import { isHeard } from "./ignored.ts";
import { entryOf } from "./state.ts";
import { eventsBackward, eventsForward } from "./timeline.ts";
import { visibleEvent } from "./visible-event.ts";

/** Events read for one answer at most: a filter that lets nearly nothing through must not read the whole room. */
const SCANNED = 2_000;
const BATCH = 100;
/** How often other servers are asked for one answer: each time may take some seconds, and brings some hundred events. */
const FETCHES = 3;

type Page = {
  events: StoredEvent[];
  /** Where to go on; undefined at the end. */
  next: number | undefined;
};

/** Before all history, also that which is fetched later: a token can name it. */
const BEGINNING = Number.MIN_SAFE_INTEGER;

/**
 * `GET /rooms/{roomId}/messages`
 * @param ignored - users whose events are left out, but for state
 */
export async function messages(
  parts: RoomParts,
  requester: Requester,
  roomId: string,
  query: MessagesQuery,
  ignored: ReadonlySet<string> = new Set(),
): Promise<JsonBytes> {
  const filter = parseRoomEventFilter(query.filter);
  const from = query.from === undefined ? undefined : parsePositionToken(query.from, "from");
  const to = query.to === undefined ? undefined : parsePositionToken(query.to, "to");
  const access = await accessTo(parts, requester, roomId);
  const start = Math.min(from ?? (query.dir === "b" ? access.end : BEGINNING), access.end);
  const isReady = query.dir === "f" || from === undefined || (await isFilledBefore(parts, access, start));
  const page = isReady
    ? await readPage(parts, requester, access, { ...query, from: start, to, filter, ignored })
    : { events: [], next: start };
  const state = filter.lazy_load_members ? await senders(parts, access.state, page.events) : [];
  return jsonBytes({
    start: positionToken(start),
    ...(page.next !== undefined && { end: positionToken(page.next) }),
    chunk: await presented(parts, requester, page.events, { form: "full", ignored }),
    state: state.map((event) => clientEvent(event, requester, "full", parts.now())),
  });
}

/**
 * `GET /rooms/{roomId}/context/{eventId}`
 * @param ignored - users whose events are left out around the one that is asked for, but for state
 */
export async function context(
  parts: RoomParts,
  requester: Requester,
  roomId: string,
  eventId: string,
  query: { limit: number; filter: JsonObject },
  ignored: ReadonlySet<string> = new Set(),
): Promise<JsonBytes> {
  const filter = parseRoomEventFilter(query.filter);
  const { event, access } = await visibleEvent(parts, requester, roomId, eventId);
  if (event.order === 0) throw notFound("The event is known, but not what came before and after it.");
  if (event.afterGap) await parts.history.before(roomId, eventId);
  const beforeLimit = Math.floor(query.limit / 2);
  const older = await eventsBackward(parts, access.head.nid, { from: event.order, count: 2 });
  const [before, after] = await Promise.all([
    readPage(parts, requester, access, {
      dir: "b",
      from: older[1]?.order ?? 0,
      to: undefined,
      limit: older.length < 2 ? 0 : beforeLimit,
      filter,
      ignored,
    }),
    readPage(parts, requester, access, {
      dir: "f",
      from: event.order,
      to: undefined,
      limit: query.limit - beforeLimit,
      filter,
      ignored,
    }),
  ]);
  const all = [...before.events, event, ...after.events];
  const last = after.events.at(-1) ?? event;
  const state = await parts.snapshots.chain(last.current);
  const stateEvents = filter.lazy_load_members
    ? await stateWithSenders(parts, state, all)
    : await parts.events.get(state.entries());
  const shown = await presented(parts, requester, all, { form: "full", ignored });
  const at = before.events.length;
  return jsonBytes({
    start: positionToken(before.next ?? orderBefore(before.events.at(-1)?.order ?? event.order)),
    end: positionToken(after.events.at(-1)?.order ?? event.order),
    event: shown[at]!,
    events_before: shown.slice(0, at),
    events_after: shown.slice(at + 1),
    state: filterEvents(filter, stateEvents).map((one) => clientEvent(one, requester, "full", parts.now())),
  });
}

/**
 * `GET /rooms/{roomId}/event/{eventId}`
 * @param ignored - users whose events are not summed up with it; it itself is there for who asks for it
 */
export async function event(
  parts: RoomParts,
  requester: Requester,
  roomId: string,
  eventId: string,
  ignored: ReadonlySet<string> = new Set(),
): Promise<JsonBytes> {
  const found = await visibleEvent(parts, requester, roomId, eventId);
  const [shown] = await presented(parts, requester, [found.event], { form: "full", ignored });
  return jsonBytes(shown!);
}

/**
 * Of a token that was given out where something was missing: fetches that.
 * @returns false where that takes too long: the same token is to be asked with again
 */
async function isFilledBefore(parts: RoomParts, { head, end }: Access, from: number): Promise<boolean> {
  const [next] = await eventsForward(parts, head.nid, { after: from, upTo: end, count: 1 });
  if (next?.afterGap !== true) return true;
  return (await parts.history.before(head.roomId, next.eventId)) !== "later";
}

/**
 * Reads on until enough events have passed the filter and the history visibility. Going backwards, what is missing in
 * between is fetched; where that takes too long, the page ends there.
 */
async function readPage(
  parts: RoomParts,
  requester: Requester,
  access: Access,
  query: {
    dir: "b" | "f";
    from: number;
    to: number | undefined;
    limit: number;
    filter: RoomEventFilter;
    ignored: ReadonlySet<string>;
  },
): Promise<Page> {
  const { dir, limit } = query;
  const events: StoredEvent[] = [];
  /** Gaps before which all is here that is to be had. */
  const passed = new Set<string>();
  let from = query.from;
  for (let scanned = 0; scanned < SCANNED && events.length < limit; ) {
    // One more than is shown, to know whether there is more.
    const count = Math.min(BATCH, limit - events.length) + 1;
    const found =
      dir === "b"
        ? await eventsBackward(parts, access.head.nid, {
            from,
            count,
            ...(query.to !== undefined && { after: query.to }),
          })
        : await eventsForward(parts, access.head.nid, {
            after: from,
            upTo: Math.min(query.to ?? access.end, access.end),
            count,
          });
    const seen = found.slice(0, count - 1);
    const gap = dir === "b" ? seen.find((one) => one.afterGap && !passed.has(one.eventId)) : undefined;
    const shown = gap === undefined ? seen : seen.slice(0, seen.indexOf(gap) + 1);
    const visible = await parts.visibility.visibleTo(requester.userId, shown);
    events.push(...filterEvents(query.filter, visible).filter(isHeard(query.ignored)));
    if (gap === undefined && found.length < count) return { events, next: undefined };
    scanned += shown.length;
    const last = shown.at(-1)!.order;
    from = dir === "b" ? orderBefore(last) : last;
    if (gap === undefined || events.length >= limit) continue;
    // What is on its far side comes before what is missing, which others may have.
    if (passed.size === FETCHES) break;
    const outcome = await parts.history.before(access.head.roomId, gap.eventId);
    if (outcome === "later") break;
    passed.add(gap.eventId);
  }
  return { events, next: from };
}

async function senders(
  parts: RoomParts,
  state: SnapshotChain,
  events: readonly StoredEvent[],
): Promise<StoredEvent[]> {
  const users = [...new Set(events.map(({ pdu }) => pdu.sender))];
  const nids = await Promise.all(users.map((user) => entryOf(parts, state, "m.room.member", user)));
  return parts.events.get(nids.filter((nid) => nid !== undefined));
}

async function stateWithSenders(
  parts: RoomParts,
  state: SnapshotChain,
  events: readonly StoredEvent[],
): Promise<StoredEvent[]> {
  const member = await parts.storage.names.find("m.room.member");
  const others = await parts.events.get(state.entries((type) => type !== member));
  return [...others, ...(await senders(parts, state, events))];
}
