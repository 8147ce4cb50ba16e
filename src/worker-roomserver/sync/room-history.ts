import { blocksEverything, filterEvents } from "../../matrix/filters.ts";
import type { JsonObject } from "../../matrix/json.ts";
import { positionToken } from "../node/tokens.ts";
import type { RoomForReaders, StoredEvent } from "../room/api.ts";
import type { Position } from "../storage/schema.ts";
import type { SyncRequest } from "./request.ts";
import { sectionState } from "./state.ts";
import { changesSummary, roomSummary, type Summary } from "./summary.ts";
import { emptyTimeline, loadTimeline, type Timeline } from "./timeline.ts";
import type { UserRoom } from "./user-rooms.ts";

const DEFAULT_LIMIT = 10;
const MAXIMUM_LIMIT = 100;

export type HistoryRoom = UserRoom & { section: "join" | "leave" };

export type HistoryRequest = {
  room: HistoryRoom;
  /** What the client has seen; 0 if nothing of this room. */
  since: Position;
  upTo: Position;
  /** Whether the client has asked before, in whatever state it was then. */
  incremental: boolean;
  ignored: ReadonlySet<string>;
};

/** What a room's section says of its events: members `summary`, `timeline` and the section for state. */
export type History = { json: JsonObject; isNews: boolean };

/** The timeline and the state of a room that the user is or was in. */
export async function roomHistory(
  rooms: RoomForReaders,
  sync: SyncRequest,
  request: HistoryRequest,
): Promise<History> {
  const { room, since } = request;
  if (room.section === "leave" && !room.joined) return departure(rooms, sync, request);
  const whole = room.entered || sync.fullState;
  const timeline = await timelineOf(rooms, sync, request);
  const { end } = timeline;
  const from = whole ? undefined : await rooms.snapshotAt(room.room, since);
  // Parts of it are asked for from here on: all at once they come with few requests.
  if (whole) await rooms.events(await rooms.stateOf(end, "others"));
  const lazy = sync.filter.room.state.lazy_load_members === true;
  const summary = lazy ? await summaryIfChanged(rooms, sync, room, from, end) : undefined;
  const state = await stateOf(rooms, sync, { timeline, from, end, summary, lazy });
  const limited = timeline.limited || sync.startsAnew || (room.entered && request.incremental);
  return {
    json: {
      ...(summary && { summary: summary.json }),
      [sync.stateSection]: { events: state.map((event) => sync.serialise(event)) },
      timeline: {
        events: await sync.serialiseTimeline(timeline.events, request.ignored),
        limited,
        prev_batch: positionToken(timeline.before),
      },
    },
    isNews:
      whole || timeline.events.length > 0 || timeline.limited || state.length > 0 || summary !== undefined,
  };
}

/** The section of a room without any event within the span. */
export function emptyHistory(sync: SyncRequest, upTo: Position): History {
  const timeline = { events: [], limited: false, prev_batch: positionToken(upTo) };
  return { json: { [sync.stateSection]: { events: [] }, timeline }, isNews: false };
}

/** For a user who was never in the room: their own leave or ban, and nothing of the room. */
async function departure(
  rooms: RoomForReaders,
  sync: SyncRequest,
  { room, ignored }: HistoryRequest,
): Promise<History> {
  const own = await rooms.events([room.event]);
  const events = filterEvents(sync.filter.room.timeline, own);
  // Who takes no state from the timeline learns only here that they are out.
  const state = sync.stateSection === "state" ? [] : filterEvents(sync.filter.room.state, own);
  const timeline = {
    events: await sync.serialiseTimeline(events, ignored),
    limited: false,
    prev_batch: positionToken(room.memberSince),
  };
  const json = { [sync.stateSection]: { events: state.map((event) => sync.serialise(event)) }, timeline };
  return { json, isNews: true };
}

function timelineOf(rooms: RoomForReaders, sync: SyncRequest, request: HistoryRequest): Promise<Timeline> {
  const filter = sync.filter.room.timeline;
  const { room, upTo, ignored } = request;
  const since = room.entered ? 0 : request.since;
  const limit = Math.min(filter.limit ?? DEFAULT_LIMIT, MAXIMUM_LIMIT);
  if (since >= upTo || limit === 0 || blocksEverything(filter)) return emptyTimeline(rooms, room.room, upTo);
  const keep = async (events: readonly StoredEvent[]) => {
    const passed = filterEvents(filter, events).filter(
      ({ pdu }) => pdu.state_key !== undefined || !ignored.has(pdu.sender),
    );
    return rooms.visibleTo(sync.requester.userId, passed);
  };
  return loadTimeline(rooms, { room: room.room, since, upTo, limit, keep });
}

async function summaryIfChanged(
  rooms: RoomForReaders,
  sync: SyncRequest,
  { room, section }: HistoryRoom,
  from: number | undefined,
  end: number,
): Promise<Summary | undefined> {
  if (section === "leave") return undefined;
  if (from !== undefined && !changesSummary(await rooms.events(await rooms.stateChanges(from, end)))) {
    return undefined;
  }
  return roomSummary(rooms, room, end, sync.requester.userId);
}

async function stateOf(
  rooms: RoomForReaders,
  sync: SyncRequest,
  of: {
    timeline: Timeline;
    from: number | undefined;
    end: number;
    summary: Summary | undefined;
    lazy: boolean;
  },
): Promise<StoredEvent[]> {
  const filter = sync.filter.room.state;
  if (blocksEverything(filter)) return [];
  const members = new Set(of.timeline.events.map((event) => event.pdu.sender));
  for (const hero of of.summary?.heroes ?? []) members.add(hero);
  if (of.from === undefined) members.add(sync.requester.userId);
  const state = await sectionState(rooms, {
    from: of.from,
    start: of.timeline.start,
    end: of.end,
    timeline: of.timeline.events,
    after: sync.stateSection !== "state",
    members: of.lazy ? members : undefined,
  });
  return filterEvents(filter, state);
}
