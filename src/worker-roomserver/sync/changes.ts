import type { PositionedEntry } from "../log/entry.ts";
import { detailToKeyChange } from "../log/key-changes.ts";
import type { Nid, Position } from "../storage/schema.ts";
import { concerns, type Interest } from "./interest.ts";
import type { Readers } from "./readers.ts";
import type { Span } from "./span.ts";

/** What may have changed within a span. What it names has to be looked at; what it does not name has not changed. */
export type Changes = {
  /** Rooms with new events, receipts, or other typists. */
  events: ReadonlySet<Nid>;
  receipts: ReadonlySet<Nid>;
  typing: ReadonlySet<Nid>;
  /** Whether the user's account data, or a presence that the user sees, has changed. */
  accountData: boolean;
  presence: boolean;
  /** Whether something was sent to the device. */
  toDevice: boolean;
  /** Users who may have entered a room of the user; undefined if that is not known. */
  newcomers: ReadonlySet<Nid> | undefined;
  /** Rooms that somebody may have entered or left; undefined if that is not known. */
  membersOf: ReadonlySet<Nid> | undefined;
  /** Whether the keys of somebody may have changed whom the user shares a room with, or the user's own. */
  deviceLists: boolean;
  /** Whether keys of the device have been claimed, as far as that is known. */
  claimed: boolean;
};

/** An entry in memory costs about a hundredth of asking a room. */
const ENTRIES_PER_ROOM = 50;
const ENTRIES_AT_LEAST = 1_000;

/** Finds what has changed: from the log where the span is short and the log has it, else by asking each room. */
export async function changesIn(readers: Readers, interest: Interest, span: Span): Promise<Changes> {
  const length = span.upTo - span.since;
  if (length > ENTRIES_AT_LEAST + ENTRIES_PER_ROOM * interest.rooms.size)
    return askRooms(readers, interest, span);
  const entries = length === 0 ? [] : await readers.storage.entriesAfter(span.since, length);
  return entries === undefined ? askRooms(readers, interest, span) : changesOf(interest, entries, span.upTo);
}

function changesOf(interest: Interest, entries: readonly PositionedEntry[], upTo: Position): Changes {
  const rooms = { room: new Set<Nid>(), receipt: new Set<Nid>(), typing: new Set<Nid>() };
  const newcomers = new Set<Nid>();
  const membersOf = new Set<Nid>();
  let deviceLists = false;
  let claimed = false;
  let accountData = false;
  let presence = false;
  let toDevice = false;
  for (const entry of entries) {
    if (entry.position > upTo) break;
    const { topic, room, user } = entry;
    // Shown with the next answer, though it is not worth one of its own.
    if (topic === "presence" && user === interest.user) presence = true;
    if (!concerns(interest, entry)) continue;
    if (topic === "accountData") accountData = true;
    else if (topic === "presence") presence = true;
    else if (topic === "toDevice") toDevice = true;
    else if (topic === "room" || topic === "receipt" || topic === "typing") rooms[topic].add(room);
    else if (topic === "deviceList") {
      if (detailToKeyChange(entry.detail).what === "claimed") claimed = true;
      else deviceLists = true;
    }
    // Of the entry "state" there is always one "room" in the same unit.
    if ((topic === "room" || topic === "state") && user !== 0) {
      newcomers.add(user);
      membersOf.add(room);
    }
  }
  const { room: events, receipt: receipts, typing } = rooms;
  return {
    events,
    receipts,
    typing,
    accountData,
    presence,
    toDevice,
    newcomers,
    membersOf,
    deviceLists,
    claimed,
  };
}

async function askRooms({ room, typing }: Readers, interest: Interest, span: Span): Promise<Changes> {
  const rooms = [...interest.rooms];
  const [found, typingIn] = await Promise.all([
    Promise.all(rooms.map((nid) => room.hasEvents(nid, { after: span.since, upTo: span.upTo }))),
    typing.changedRooms(rooms, span.since, span.upTo),
  ]);
  return {
    events: new Set(rooms.filter((_, i) => found[i])),
    receipts: interest.rooms,
    typing: new Set(typingIn),
    accountData: true,
    presence: true,
    toDevice: true,
    newcomers: undefined,
    membersOf: undefined,
    deviceLists: true,
    // The numbers are in each answer; for want of this one comes when the wait is over.
    claimed: false,
  };
}
