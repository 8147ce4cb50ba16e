import type { Storage } from "../../storage/api.ts";
import type { Nid, ThreadRow } from "../../storage/schema.ts";
import type { RoomParts } from "../parts.ts";
import { relatedTo, restOf, type Stretch } from "./relation-rows.ts";

/** Rows put right at once, and how often before an answer goes without the rest. */
const RENEWED = 500;
const ATTEMPTS = 5;

/** Relations read at once, and at most, to find a thread's latest reply: a root may have many others. */
const BATCH = 200;
const SCANNED = 20_000;

type Room = { nid: Nid; roomId: string };

/**
 * A room's threads whose latest reply has an order of at most `from`, the latest first, at most `count` (1 and up).
 *
 * Costs one range of an index, and one key for each row. Where replies have been redacted or history has come in since
 * it was asked last, the threads of these are put right first, with a range or more for each: up to 2,500 of them.
 * @returns `rest`: where to go on, undefined at the end
 */
export async function threadRows(
  parts: Pick<RoomParts, "storage" | "locks">,
  room: Room,
  { from, count }: { from: number; count: number },
): Promise<{ rows: ThreadRow[]; rest: number | undefined }> {
  for (let attempt = 1; ; attempt++) {
    // One more than is given, to know whether there is more.
    const rows = await rowsFrom(parts.storage, room, from, count + 1);
    const stale = await staleOf(parts.storage, rows);
    if (stale.size === 0 || attempt === ATTEMPTS) {
      const isUsable = (row: ThreadRow, i: number) => i < count && !stale.has(row);
      const end = rows.findIndex((row, i) => !isUsable(row, i));
      return end === -1 ? { rows, rest: undefined } : { rows: rows.slice(0, end), rest: -rows[end]!.o };
    }
    const next = await rowsFrom(parts.storage, room, from, RENEWED);
    const roots = [...(await staleOf(parts.storage, next))].map(({ root }) => root);
    await renewThreads(parts, room, roots);
  }
}

function rowsFrom(storage: Storage, room: Room, from: number, count: number): Promise<ThreadRow[]> {
  const range = IDBKeyRange.bound([room.nid, -from], [room.nid, []], false, true);
  return storage.fromIndex("threads", "latest", range, count);
}

/** Rows where no reply stands where they say that the latest does. */
async function staleOf(storage: Storage, rows: readonly ThreadRow[]): Promise<Set<ThreadRow>> {
  const relations = await Promise.all(rows.map(({ r, root, o }) => storage.get("relations", [r, root, o])));
  return new Set(rows.filter((_, i) => relations[i]?.[1] !== "m.thread"));
}

/**
 * Finds the latest replies of threads, and notes them. Who writes an event cannot know: it reads nothing. So it leaves
 * a row that is not earlier than the latest reply, and right where that is the room's latest event.
 */
async function renewThreads(
  { storage, locks }: Pick<RoomParts, "storage" | "locks">,
  room: Room,
  roots: readonly string[],
): Promise<void> {
  // Wrapped, because a promise returned from the lock would be waited for within it.
  const { durable } = await locks.run(room.roomId, async () => {
    // Nothing more of the room is queued from here on, and all that was can be read.
    await storage.settled();
    const latest = await Promise.all(roots.map((root) => latestReply(storage, room.nid, root)));
    const commit = storage.commit((write) => {
      roots.forEach((root, i) => {
        const order = latest[i];
        if (order === undefined) write.delete("threads", [room.nid, root]);
        else write.put("threads", { r: room.nid, root, o: -order });
      });
    });
    return { durable: commit };
  });
  await durable;
}

/**
 * The order of a thread's latest reply, undefined where there is none. Where that lies behind very many other
 * relations it is that of the last one looked at: a row that says so is found not to be right, and it goes on there.
 */
async function latestReply(storage: Storage, room: Nid, root: string): Promise<number | undefined> {
  const row = await storage.get("threads", [room, root]);
  if (row === undefined) return undefined;
  let left: Stretch = { dir: "b", after: Number.NEGATIVE_INFINITY, upTo: -row.o };
  for (let scanned = 0; ; ) {
    const [page] = await relatedTo(storage, room, [root], left, BATCH);
    const reply = page!.related.find(({ relType }) => relType === "m.thread");
    if (reply !== undefined) return reply.order;
    const { rest } = page!;
    scanned += page!.related.length;
    if (rest === undefined || scanned >= SCANNED) return rest;
    left = restOf(left, rest);
  }
}
