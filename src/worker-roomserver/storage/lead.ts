import { type IDBPDatabase, unwrap } from "idb";
import type { Journal } from "./journal.ts";
import type { JournalFiles } from "./journal-files.ts";
import { StoreJournal } from "./journal-store.ts";
import { applyChanges, rowToChanges } from "./operations.ts";
import type { HearthSchema, JournalState, LeadRow } from "./schema.ts";

/** Leaders whose markers are kept. A leader that slept while so many others came has long been ended. */
const KEPT_MARKERS = 1_000;

export type Lead = { epoch: number; journal: Journal };

/**
 * Takes the lead: puts what earlier leaders have left in the journal into its stores, and ends them.
 *
 * Every transaction of a checkpoint asks for the epoch. A record of the journal must not cost that: one in the store is
 * added, never put, under the key that comes next, and whoever takes over adds a marker there. So the next record of
 * the leader before it, however late it comes, meets a key that is taken, and fails. Markers stay where they
 * are. The files of the other journal are open for one leader alone.
 * @param files - the journal's, where there are any
 */
export async function takeLead(
  db: IDBPDatabase<HearthSchema>,
  files: JournalFiles | undefined,
): Promise<Lead> {
  const tx = db.transaction([...db.objectStoreNames], "readwrite", { durability: "strict" });
  const meta = tx.objectStore("meta");
  const journal = tx.objectStore("journal");
  const [last, known, keys, rows] = await Promise.all([
    meta.get("lead") as Promise<LeadRow | undefined>,
    meta.get("journal") as Promise<JournalState | undefined>,
    journal.getAllKeys(),
    journal.getAll(),
  ]);
  const state = known ?? { id: "", applied: 0 };
  if (files === undefined && state.id !== "") {
    tx.abort();
    await tx.done.catch(() => undefined); // it is aborted, as it should be
    throw new Error(
      "This homeserver keeps its journal in files, and this browser does not let it read them.",
    );
  }
  const records = rows.flatMap((row, i) =>
    "epoch" in row ? [] : [{ key: keys[i]!, changes: rowToChanges(row) }],
  );
  const fromFiles = files?.read(state) ?? [];
  for (const { changes } of [...records, ...fromFiles].sort((one, other) => one.key - other.key)) {
    applyChanges(unwrap(tx), changes);
  }
  const lastKey = Math.max(state.applied, keys.at(-1) ?? 0, fromFiles.at(-1)?.key ?? 0);
  const markers = keys.filter((_, i) => "epoch" in rows[i]!);
  for (const old of [...markers.slice(0, -KEPT_MARKERS), ...records.map(({ key }) => key)]) {
    void journal.delete(old);
  }
  const epoch = (last?.epoch ?? 0) + 1;
  const marker = lastKey + 1;
  void journal.add({ epoch }, marker);
  void meta.put({ epoch } satisfies LeadRow, "lead");
  const id = files === undefined ? "" : state.id || crypto.randomUUID();
  void meta.put({ id, applied: marker } satisfies JournalState, "journal");
  await tx.done;
  const plain = unwrap(db);
  return {
    epoch,
    journal: files?.begin(plain, { epoch, id, last: marker }) ?? new StoreJournal(plain, marker),
  };
}
