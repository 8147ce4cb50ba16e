import type { RoomForReaders, StoredEvent } from "../../room/api.ts";
import type { EventNid, SnapshotNid } from "../../storage/schema.ts";
import type { RequiredState } from "./required-state.ts";

const MEMBER = "m.room.member";

export type StateScope = {
  wanted: RequiredState;
  /** The state that the client has, and what it had asked for then; undefined where it has nothing. */
  before: { state: SnapshotNid; wanted: RequiredState } | undefined;
  state: SnapshotNid;
  timeline: readonly StoredEvent[];
  /** Whether events between what the client has and the timeline are left out. */
  limited: boolean;
  /** Members that the client has, for events of theirs. */
  lazyMembers: ReadonlySet<string>;
};

export type RequiredEvents = {
  events: StoredEvent[];
  /** All that has changed since `before`. */
  changes: readonly StoredEvent[];
  /** Members that the client has now, for events of theirs. */
  lazyMembers: ReadonlySet<string>;
};

/**
 * The state of a room that a client wants and has not yet.
 * Costs the entries that it names, or all of the state where it wants more than it can name; later what has changed.
 */
export async function requiredEvents(rooms: RoomForReaders, scope: StateScope): Promise<RequiredEvents> {
  const { wanted, before, state } = scope;
  const changes =
    before === undefined ? [] : await rooms.events(await rooms.stateChanges(before.state, state));
  const isNew = before === undefined || before.wanted !== wanted;
  const whole = isNew ? await wantedIn(rooms, wanted, state) : [];
  const known = before?.wanted;
  const events = new Map<EventNid, StoredEvent>();
  for (const event of whole) {
    if (known === undefined || !known.wants(event.pdu.type, keyOf(event))) events.set(event.nid, event);
  }
  for (const event of changes) if (wanted.wants(event.pdu.type, keyOf(event))) events.set(event.nid, event);
  if (!wanted.lazyMembers) return { events: [...events.values()], changes, lazyMembers: new Set() };

  const lazy = await lazyMembers(rooms, scope, changes);
  for (const event of lazy.events) events.set(event.nid, event);
  return { events: [...events.values()], changes, lazyMembers: lazy.has };
}

/** Members of whom the timeline has events, but for those that the client has; and all changes, if it has no gap. */
async function lazyMembers(
  rooms: RoomForReaders,
  { before, state, timeline, limited, lazyMembers: had }: StateScope,
  changes: readonly StoredEvent[],
): Promise<{ events: StoredEvent[]; has: ReadonlySet<string> }> {
  const changed = changes.filter(({ pdu }) => pdu.type === MEMBER);
  const has = new Set(before === undefined ? [] : had);
  // An older one is no use: it comes again with the next event of theirs, if not now.
  for (const event of changed) has.delete(keyOf(event));
  const wanted = new Set<string>();
  for (const { pdu } of timeline) {
    wanted.add(pdu.sender);
    if (pdu.type === MEMBER && pdu.state_key !== undefined) wanted.add(pdu.state_key);
  }
  const missing = [...wanted].filter((userId) => !has.has(userId));
  const nids = await Promise.all(missing.map((userId) => rooms.stateEntry(state, MEMBER, userId)));
  const found = await rooms.events(nids.filter((nid) => nid !== undefined));
  const events = before === undefined || limited ? found : [...found, ...changed];
  for (const event of events) has.add(keyOf(event));
  return { events, has };
}

async function wantedIn(
  rooms: RoomForReaders,
  wanted: RequiredState,
  state: SnapshotNid,
): Promise<StoredEvent[]> {
  const { members, others } = wanted.more;
  const [named, ranges] = await Promise.all([
    Promise.all(wanted.named.map(([type, stateKey]) => rooms.stateEntry(state, type, stateKey))),
    Promise.all([
      members ? rooms.stateOf(state, "members") : [],
      others ? rooms.stateOf(state, "others") : [],
    ]),
  ]);
  const nids = new Set([...named.filter((nid) => nid !== undefined), ...ranges.flat()]);
  const events = await rooms.events([...nids]);
  return events.filter((event) => wanted.wants(event.pdu.type, keyOf(event)));
}

const keyOf = ({ pdu }: StoredEvent) => pdu.state_key ?? "";
