import { prevEventIds } from "../../../matrix/event-format.ts";
import type { ReceivedEvent } from "../../../matrix/received-event.ts";
import type { RoomQueries } from "../../room/query/graph/api.ts";
import type { KnownRoom } from "../known-rooms.ts";
import type { Asker } from "./asker.ts";
import type { RoomFetcher } from "./fetcher.ts";
import { MISSING_AT_ONCE, missingEventsOf, textsIn } from "./questions.ts";

/** How often it is asked for what comes before what was missing: a longer gap is left, and filled on scrolling back. */
const ROUNDS = 10;
/** Forks that began before the newest events are found, if not by more than this. */
const DEPTH_MARGIN = 20;

type Parts = {
  room: KnownRoom;
  asker: Asker;
  fetcher: RoomFetcher;
  roomQueries: Pick<RoomQueries, "latest">;
};

/**
 * What lies between an event and what is known of its room, as far as its server tells it within some rounds. Only what
 * the event is built upon, directly or not, is taken of the answers.
 * @param held - events that wait in the room, which need not be asked for
 */
export async function missingEvents(
  { room, asker, fetcher, roomQueries }: Parts,
  event: ReceivedEvent,
  held: ReadonlyMap<string, ReceivedEvent>,
): Promise<ReceivedEvent[]> {
  const { extremities } = await roomQueries.latest(room.roomId, []);
  const earliest = extremities.map(({ eventId }) => eventId);
  const depths = [event, ...extremities].map(({ pdu }) => pdu.depth);
  const minDepth = Math.max(0, Math.min(...depths, Number.MAX_SAFE_INTEGER) - DEPTH_MARGIN);
  const found = new Map<string, ReceivedEvent>();
  let ends: ReceivedEvent[] = [event];
  for (let round = 0; round < ROUNDS; round++) {
    const latest = ends.map(({ eventId }) => eventId).slice(0, MISSING_AT_ONCE);
    const question = missingEventsOf(room.roomId, { earliest, latest, minDepth });
    const { got } = await asker.ask(question, async ({ text }, server) => {
      const told = await fetcher.signed(textsIn(text, "events").slice(0, MISSING_AT_ONCE), server);
      const linked = linkedTo(ends, new Map(told.map((one) => [one.eventId, one])), found);
      return linked.length > 0 ? linked : undefined;
    });
    if (got === undefined) break;
    for (const one of got) found.set(one.eventId, one);
    for (const one of linkedTo(got, held, found)) found.set(one.eventId, one);
    ends = await openEnds(fetcher, [event, ...found.values()], found);
    if (ends.length === 0) break;
  }
  return [...found.values()];
}

/** Those among the told that the ends are built upon, directly or by way of each other, without those found before. */
export function linkedTo(
  ends: readonly Pick<ReceivedEvent, "pdu">[],
  told: ReadonlyMap<string, ReceivedEvent>,
  found: ReadonlyMap<string, unknown> = new Map(),
): ReceivedEvent[] {
  const linked = new Map<string, ReceivedEvent>();
  const queue = ends.flatMap(({ pdu }) => prevEventIds(pdu));
  for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
    const event = told.get(id);
    if (event === undefined || linked.has(id) || found.has(id)) continue;
    linked.set(id, event);
    queue.push(...prevEventIds(event.pdu));
  }
  return [...linked.values()];
}

/** Of some events those that are built upon what is neither known nor found. */
export async function openEnds(
  fetcher: RoomFetcher,
  events: readonly ReceivedEvent[],
  found: ReadonlyMap<string, unknown>,
): Promise<ReceivedEvent[]> {
  const outside = (event: ReceivedEvent) => prevEventIds(event.pdu).filter((id) => !found.has(id));
  const known = await fetcher.known(events.flatMap(outside), { isPlaced: true });
  return events.filter((event) => outside(event).some((id) => !known.has(id)));
}
