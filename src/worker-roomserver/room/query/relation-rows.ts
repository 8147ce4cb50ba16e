import type { ReadTransaction, Storage } from "../../storage/api.ts";
import type { EventNid, Nid, RelationRow } from "../../storage/schema.ts";

/** An event that relates to another, by what the store of relations says of it. */
export type Related = { nid: EventNid; order: number; relType: string; eventType: string; sender: string };

/** Orders with `after < order <= upTo`, read from the newest on ("b") or from the oldest on ("f"). */
export type Stretch = { dir: "b" | "f"; after: number; upTo: number };

export type RelatedPage = {
  /** In the direction of the stretch. */
  related: Related[];
  /** Where to go on: `upTo` of what is left going back, `after` going forward. Undefined at the end. */
  rest: number | undefined;
};

/** What is left of a stretch once it has been read up to `rest`. */
export function restOf(stretch: Stretch, rest: number): Stretch {
  return stretch.dir === "b" ? { ...stretch, upTo: rest } : { ...stretch, after: rest };
}

/** Sorts as a stretch is read. */
export function inDirection(dir: Stretch["dir"], one: { order: number }, other: { order: number }): number {
  return dir === "b" ? other.order - one.order : one.order - other.order;
}

/**
 * What relates to each of the targets, at most `count` (1 and up) of each. One transaction; for each target one
 * range of small rows.
 */
export function relatedTo(
  storage: Storage,
  room: Nid,
  targets: readonly string[],
  stretch: Stretch,
  count: number,
): Promise<RelatedPage[]> {
  // IndexedDB knows no range without a place in it.
  if (stretch.after >= stretch.upTo) {
    return Promise.resolve(targets.map(() => ({ related: [], rest: undefined })));
  }
  // One more than is given, to know whether there is more.
  const read = stretch.dir === "b" ? newestFirst : oldestFirst;
  return storage.read(["relations"], async (tx) => {
    const found = await Promise.all(targets.map((target) => read(tx, room, target, stretch, count + 1)));
    return found.map((rows) => {
      const related = rows.slice(0, count);
      if (rows.length <= count) return { related, rest: undefined };
      return { related, rest: (stretch.dir === "b" ? rows : related).at(-1)!.order };
    });
  });
}

// The keys end in -order: the newest come first.
const rangeOf = (room: Nid, target: string, { after, upTo }: Stretch) =>
  IDBKeyRange.bound([room, target, -upTo], [room, target, -after], false, true);

async function newestFirst(
  tx: ReadTransaction,
  room: Nid,
  target: string,
  stretch: Stretch,
  count: number,
): Promise<Related[]> {
  const rows = tx.objectStore("relations");
  const range = rangeOf(room, target, stretch);
  const [keys, values] = await Promise.all([rows.getAllKeys(range, count), rows.getAll(range, count)]);
  return values.map((row, i) => toRelated(keys[i]!, row));
}

/** Only a cursor goes against the order of the keys. */
async function oldestFirst(
  tx: ReadTransaction,
  room: Nid,
  target: string,
  stretch: Stretch,
  count: number,
): Promise<Related[]> {
  const related: Related[] = [];
  let cursor = await tx.objectStore("relations").openCursor(rangeOf(room, target, stretch), "prev");
  while (cursor !== null) {
    related.push(toRelated(cursor.key, cursor.value));
    if (related.length === count) break;
    cursor = await cursor.continue();
  }
  return related;
}

function toRelated(
  key: readonly [Nid, string, number],
  [nid, relType, eventType, sender]: RelationRow,
): Related {
  return { nid, order: -key[2], relType, eventType, sender };
}
