import type { Storage } from "../../storage/api.ts";
import type { SnapshotNid } from "../../storage/schema.ts";

/**
 * These states and those that they are made of, which no event may name. One that is not there went with another
 * event, and with it all that it was made of: so they have to go together, in one unit.
 */
export async function withBases(
  storage: Storage,
  states: Iterable<SnapshotNid>,
): Promise<ReadonlySet<SnapshotNid>> {
  const found = new Set<SnapshotNid>();
  let next = new Set(states);
  while (next.size > 0) {
    const nids = [...next].filter((nid) => nid !== 0);
    const rows = await Promise.all(nids.map((nid) => storage.get("snapshots", nid)));
    next = new Set();
    for (const [i, row] of rows.entries()) {
      if (row === undefined) continue;
      found.add(nids[i]!);
      const [base] = row;
      if (!found.has(base)) next.add(base);
    }
  }
  return found;
}
