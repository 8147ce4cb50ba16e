import { domainOf } from "../../../matrix/domain.ts";
import type { Write } from "../../storage/api.ts";
import { MEMBERSHIPS, type MembershipRow, type Nid } from "../../storage/schema.ts";
import type { RoomParts } from "../parts.ts";
import { membershipRows } from "./members.ts";
import { withBases } from "./states.ts";

/** Events of one unit: their rows are read, and may have 64 KB each. */
const EVENTS = 200;
/** Other rows of one unit, of which only the keys are read. */
const ROWS = 1_000;

/** Stores whose keys begin with the room. */
const STORES = ["authEdges", "awaited", "relations", "threads", "gaps", "receipts", "waitingEvents"] as const;

/** What one unit removes. */
type Removal = (write: Write) => void;

/**
 * Goes on with every purge that has been begun, until nothing is left of those rooms. Yields after each unit: every one
 * is bounded, and the rooms' locks are free in between. It may run twice at a time, and end anywhere.
 * @throws what the storage failed with: it is to be called again then
 */
export async function* finishPurges(parts: RoomParts): AsyncGenerator<void> {
  const { storage, locks } = parts;
  for (const room of await storage.getAllKeys("purges")) {
    const roomId = await storage.names.text(room);
    while (await locks.run(roomId, () => removeSome(parts, room, roomId))) yield;
  }
}

/**
 * Makes room for a new life of a room that this server has no head of: nothing of an earlier one is there when it
 * resolves, but for who is invited or has knocked. To be called in the room's lock, before anything of it is taken in.
 * Costs some reads where there was none; otherwise it waits for the rest of the purge.
 */
export async function clearRoom(parts: RoomParts, roomId: string): Promise<void> {
  const { storage, memberships } = parts;
  const room = await storage.names.find(roomId);
  if (room === undefined) return;
  while (await removeSome(parts, room, roomId));
  const left: MembershipRow[] = [];
  for await (const row of membershipRows(storage, room)) if (isOut(row)) left.push(row);
  if (left.length > 0) {
    const userIds = await Promise.all(left.map(({ u }) => storage.names.text(u)));
    await storage.commit((write) => {
      for (const [i, { u }] of left.entries()) memberships.remove(write, userIds[i]!, u, room);
    });
  }
  // Also what came after the purge: an invite that was declined, a receipt that was on its way.
  for (;;) {
    const last = (await events(parts, room)) ?? (await rows(parts, room));
    if (last === undefined) return;
    await storage.commit(last);
  }
}

/** One unit of a purge, in the room's lock. @returns whether there may be more; false if the room is in none */
async function removeSome(parts: RoomParts, room: Nid, roomId: string): Promise<boolean> {
  const { storage } = parts;
  await storage.settled();
  if ((await storage.get("purges", room)) === undefined) return false;
  if ((await storage.get("rooms", room)) !== undefined) {
    throw new Error(`the room ${roomId} came back before its last life was cleared away`);
  }
  const removal =
    (await othersMemberships(parts, room)) ?? (await events(parts, room)) ?? (await rows(parts, room));
  if (removal !== undefined) {
    // Losing it in a power cut does no harm: it is done again.
    await storage.commit(removal, { relaxed: true });
    return true;
  }
  await storage.commit(await rest(parts, room, roomId));
  parts.recent.purged(room);
  return false;
}

/** Memberships of users of other servers; those of this server's have been dealt with, or are new invites. */
async function othersMemberships(
  { storage, memberships, author }: RoomParts,
  room: Nid,
): Promise<Removal | undefined> {
  const others: { user: Nid; userId: string }[] = [];
  for await (const { u: user } of membershipRows(storage, room)) {
    const userId = await storage.names.text(user);
    if (domainOf(userId) !== author.serverName) others.push({ user, userId });
    if (others.length === ROWS) break;
  }
  if (others.length === 0) return undefined;
  return (write) => {
    for (const { user, userId } of others) memberships.remove(write, userId, user, room);
  };
}

/** The newest events, and the states that they name with all that those are made of. */
async function events({ storage }: RoomParts, room: Nid): Promise<Removal | undefined> {
  const all = IDBKeyRange.bound([room], [room, []]);
  // What the memberships name stays. It is read after the events: one that came in between is not among these.
  const keptBefore = await namedByMemberships(storage, room);
  const read = await storage.fromIndex("events", "timeline", all, EVENTS + keptBefore.size);
  const kept = await namedByMemberships(storage, room);
  const gone = read.filter((row) => !kept.has(row.n));
  if (gone.length === 0) return undefined;
  const states = await withBases(
    storage,
    gone.flatMap(({ b, c, d }) => [b, c, d ?? c]),
  );
  return (write) => {
    for (const { n } of gone) write.delete("events", n);
    for (const state of states) write.delete("snapshots", state);
    write.put("meta", storage.numbers, "numbers");
  };
}

async function namedByMemberships(storage: RoomParts["storage"], room: Nid): Promise<Set<number>> {
  const named = new Set<number>();
  for await (const { e } of membershipRows(storage, room)) named.add(e);
  return named;
}

/** Rows of the first store that has any. */
async function rows({ storage }: RoomParts, room: Nid): Promise<Removal | undefined> {
  for (const store of STORES) {
    const keys = await storage.getAllKeys(store, IDBKeyRange.bound([room], [room, []]), ROWS);
    const [first] = keys;
    if (first === undefined) continue;
    const last = keys.at(-1);
    return (write) => write.delete(store, IDBKeyRange.bound(first, last));
  }
  return undefined;
}

/** The end of the purge; and what somebody may have begun to write while the room was still there. */
async function rest({ storage }: RoomParts, room: Nid, roomId: string): Promise<Removal> {
  const [aliases, listings] = await Promise.all([
    storage.keysFromIndex("aliases", "room", IDBKeyRange.only(roomId)),
    storage.getAllKeys("appServiceRooms"), // those of all rooms: few services list any
  ]);
  return (write) => {
    for (const alias of aliases) write.delete("aliases", alias);
    for (const listing of listings) if (listing[2] === room) write.delete("appServiceRooms", listing);
    write.delete("published", room);
    write.delete("purges", room);
  };
}

const isOut = ({ m }: MembershipRow) => MEMBERSHIPS[m] === "leave" || MEMBERSHIPS[m] === "ban";
