import type { RoomForReaders, StoredEvent } from "../room/api.ts";
import type { EventNid, SnapshotNid } from "../storage/schema.ts";

/** Which states a section's state lies between, and what the client gets besides. */
export type StateRequest = {
  /** What the client has: the state at `since`; undefined if it has nothing and gets everything. */
  from: SnapshotNid | undefined;
  /** The state at the start and the end of the timeline. */
  start: SnapshotNid;
  end: SnapshotNid;
  /** The timeline as the client gets it. */
  timeline: readonly StoredEvent[];
  /** Whether the client takes its state from the timeline's end, and none from the timeline. */
  after: boolean;
  /**
   * With lazy-loaded members, the users whose member events the client needs in any case; undefined without.
   * Members that have changed go out as well: the client may hold the older one.
   */
  members: ReadonlySet<string> | undefined;
};

/**
 * State events of one room's section, in no order.
 * @see https://spec.matrix.org/v1.19/client-server-api/#syncing
 */
export async function sectionState(rooms: RoomForReaders, request: StateRequest): Promise<StoredEvent[]> {
  const at = request.after ? request.end : request.start;
  const [base, members, unseen] = await Promise.all([
    request.from === undefined
      ? rooms.stateOf(at, request.members === undefined ? "all" : "others")
      : rooms.stateChanges(request.from, at),
    memberEvents(rooms, at, request.members ?? new Set()),
    request.after ? [] : rooms.stateChanges(request.start, request.end),
  ]);
  const nids = [...new Set([...base, ...members])];
  if (unseen.length === 0) return rooms.events(nids);
  return withUnseen(await rooms.events(nids), await rooms.events(unseen), request.timeline);
}

async function memberEvents(
  rooms: RoomForReaders,
  at: SnapshotNid,
  members: ReadonlySet<string>,
): Promise<EventNid[]> {
  const nids = await Promise.all([...members].map((user) => rooms.stateEntry(at, "m.room.member", user)));
  return nids.filter((nid) => nid !== undefined);
}

/**
 * A client that follows the state through the timeline misses what changed there without an event that it sees:
 * one that its filter hides, or a change by state resolution. Such a change is put into `state`, in place of what
 * stood there at the start; unless the timeline has an event for the same key, which would undo it.
 */
function withUnseen(
  state: readonly StoredEvent[],
  changes: readonly StoredEvent[],
  timeline: readonly StoredEvent[],
): StoredEvent[] {
  const seen = new Set(timeline.filter((event) => event.pdu.state_key !== undefined).map(stateKeyOf));
  const unseen = changes.filter((event) => !seen.has(stateKeyOf(event)));
  const replaced = new Set(unseen.map(stateKeyOf));
  return [...state.filter((event) => !replaced.has(stateKeyOf(event))), ...unseen];
}

function stateKeyOf({ pdu }: StoredEvent): string {
  return JSON.stringify([pdu.type, pdu.state_key]);
}
