import type { AuthGraph, EventNid, ResolvableEvent } from "./api.ts";
import { compareByTime } from "./event-order.ts";
import type { LoadedEvents } from "./loaded-events.ts";
import { highestFirst } from "./priority-queue.ts";

/** How far down the first batch of events goes, in citations. */
const firstLevels = 4;

/**
 * Puts events in mainline ordering.
 * @param events - loaded with their auth events; no power levels events, these are in order before
 * @param powerLevels - the event whose mainline it is; without it no event has a mainline position, and all go by
 *   their time
 * @see https://spec.matrix.org/v1.19/rooms/v2/#definitions
 */
export async function mainlineOrdering(
  events: readonly ResolvableEvent[],
  powerLevels: ResolvableEvent | undefined,
  loaded: LoadedEvents,
  graph: AuthGraph,
): Promise<ResolvableEvent[]> {
  const cited = events.map((event) => powerLevelsCitedBy(event, loaded));
  const positions = await mainlinePositions(cited, powerLevels?.nid, loaded, graph);
  return events
    .map((event, index) => ({ event, position: positions.get(cited[index]) ?? Number.POSITIVE_INFINITY }))
    .sort((a, b) => {
      // The farther back in the mainline, the earlier. Not their difference: that of two infinities is no number.
      if (a.position !== b.position) return a.position > b.position ? -1 : 1;
      return compareByTime(a.event, b.event);
    })
    .map(({ event }) => event);
}

/**
 * Finds where power levels events are in the mainline, or join it.
 *
 * The mainline and the chains of all these events are gone down at once, the highest number next. A chain can only
 * join where the mainline is at the time, and when the last has joined, there is no need to go on to the first
 * power levels of the room.
 *
 * @param from - power levels events; undefined where an event cites none
 * @param tip - the first of the mainline
 * @returns by event; those that never join are not there
 */
async function mainlinePositions(
  from: readonly (EventNid | undefined)[],
  tip: EventNid | undefined,
  loaded: LoadedEvents,
  graph: AuthGraph,
): Promise<ReadonlyMap<EventNid | undefined, number>> {
  const positions = new Map<EventNid | undefined, number>();
  const chains = highestFirst();
  const seen = new Set<EventNid | undefined>([undefined]);
  const follow = (nid: EventNid | undefined) => {
    if (nid === undefined || seen.has(nid)) return;
    seen.add(nid);
    chains.push(nid);
  };
  from.forEach(follow);

  let levels = firstLevels;
  /** The next of a chain, or of the mainline. */
  const nextOf = async (nid: EventNid, mainline: EventNid) => {
    if (!hasLoadedAuthEvents(nid, loaded)) {
      // All chains at once, and twice as far each time: it takes few batches, however many and long they are.
      await loaded.load(chainsBelow([nid, mainline, ...chains.items], levels, loaded, graph));
      levels *= 2;
    }
    return powerLevelsCitedBy(loaded.get(nid), loaded);
  };

  /** What is beside the mainline, each before what it cites. */
  const beside: [nid: EventNid, next: EventNid | undefined][] = [];
  let mainline = tip;
  while (mainline !== undefined && chains.first !== undefined) {
    while (chains.first !== undefined && chains.first > mainline) {
      const nid = chains.pop()!;
      const next = await nextOf(nid, mainline);
      beside.push([nid, next]);
      follow(next);
    }
    positions.set(mainline, positions.size);
    if (chains.first === mainline) chains.pop();
    if (chains.first !== undefined) mainline = await nextOf(mainline, mainline);
  }

  for (const [nid, next] of beside.reverse()) {
    const position = positions.get(next);
    if (position !== undefined) positions.set(nid, position);
  }
  return positions;
}

function powerLevelsCitedBy(event: ResolvableEvent | undefined, loaded: LoadedEvents): EventNid | undefined {
  return event && loaded.authEvent(event, "m.room.power_levels", "")?.nid;
}

function hasLoadedAuthEvents(nid: EventNid, loaded: LoadedEvents): boolean {
  return loaded.get(nid)?.authEvents.every((authEvent) => loaded.has(authEvent)) ?? loaded.has(nid);
}

/** What may be among the next power levels of some chains: without their types, all that they cite. */
function chainsBelow(
  tips: readonly EventNid[],
  levels: number,
  loaded: LoadedEvents,
  graph: AuthGraph,
): ReadonlySet<EventNid> {
  const found = new Set(tips);
  let level: readonly EventNid[] = tips;
  for (let depth = 0; depth < levels && level.length > 0; depth++) {
    const below: EventNid[] = [];
    for (const nid of level) {
      const type = loaded.get(nid)?.pdu.type;
      if (type !== undefined && type !== "m.room.power_levels") continue;
      const authEvents = graph.authEventsOf(nid);
      for (let index = 0; index < authEvents.length; index++) {
        const cited = authEvents[index]!;
        if (found.has(cited)) continue;
        found.add(cited);
        below.push(cited);
      }
    }
    level = below;
  }
  return found;
}
