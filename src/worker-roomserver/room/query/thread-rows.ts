import type { Storage } from "../../storage/api.ts";
import type { Nid, ThreadRow } from "../../storage/schema.ts";
import type { RoomParts } from "../parts.ts";
import { relatedTo, restOf, type Stretch } from "./relation-rows.ts";

/** How often rows are read again because some of them were not right: each time those are, for good. */
const ATTEMPTS = 10;

/** Relations read at once, and at most, to find a thread's latest reply: a root may have many others. */
const BATCH = 200;
const SCANNED = 20_000;

/**
 * A room's threads whose latest reply has an order of at most `from`, the latest first, at most `count`. One range of
 * an index and one key for each row; a write where a reply has been redacted since.
 */
export async function threadRows(
  parts: RoomParts,
  room: { nid: Nid; roomId: string },
  { from, count }: { from: number; count: number },
): Promise<ThreadRow[]> {
  const { storage } = parts;
  const range = IDBKeyRange.bound([room.nid, -from], [room.nid, []], false, true);
  for (let attempt = 1; ; attempt++) {
    const rows = await storage.fromIndex("threads", "latest", range, count);
    const relations = await Promise.all(rows.map(({ r, root, o }) => storage.get("relations", [r, root, o])));
    const stale = rows.filter((_, i) => relations[i]?.[1] !== "m.thread");
    if (stale.length === 0 || attempt === ATTEMPTS) return rows;
    await renewThreads(
      parts,
      room,
      stale.map(({ root }) => root),
    );
  }
}

/**
 * Finds the latest replies of threads, and notes them. A row says where its thread's latest reply stands as long as
 * that is not redacted; which one is latest then is not known to who writes a redaction, and is found when the row is
 * read. Not for who holds the room's lock.
 */
export async function renewThreads(
  parts: Pick<RoomParts, "storage" | "locks">,
  room: { nid: Nid; roomId: string },
  roots: readonly string[],
): Promise<void> {
  const { storage, locks } = parts;
  // Wrapped, because a promise returned from the lock would be waited for within it.
  const { durable } = await locks.run(room.roomId, async () => {
    // Nothing more of the room is queued from here on, and nothing is read that was.
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
  const known = await storage.get("threads", [room, root]);
  const upTo = known === undefined ? Number.POSITIVE_INFINITY : -known.o;
  let left: Stretch = { dir: "b", after: Number.NEGATIVE_INFINITY, upTo };
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
