import { entriesToRow, type PositionedEntry, rowToEntries } from "../log/entry.ts";
import type { ChangesRow, HearthSchema, Nid, StoreName } from "./schema.ts";

/** Both ends of a range of keys, in a form that can be stored. */
type StoredRange = [lower: IDBValidKey, upper: IDBValidKey, lowerOpen: boolean, upperOpen: boolean];

/** One row that is written or goes. Operations name rows whole, so that doing them again changes nothing. */
export type Operation =
  | { kind: "put"; store: StoreName; value: unknown; key?: IDBValidKey }
  | { kind: "delete"; store: StoreName; key: IDBValidKey }
  | { kind: "deleteRange"; store: StoreName; range: StoredRange };

/** What some units write, in their order. */
export type Changes = { operations: Operation[]; entries: PositionedEntry[] };

/** Parts of the keys that rows themselves hold. */
const inLineKeys: { readonly [store in StoreName]?: readonly string[] } = {
  events: ["n"],
  memberships: ["u", "r"],
  devices: ["userId", "deviceId"],
  accountData: ["u", "r", "type"],
  receipts: ["r", "type", "u", "thread"],
  threads: ["r", "root"],
  pushers: ["userId", "appId", "pushkey"],
  media: ["origin", "id"],
  keySignatures: ["user", "signer", "key", "by"],
  deviceListChanges: ["v", "u"],
  reports: ["n"],
  mailTaken: ["at", "origin", "transactionId"],
  toDeviceReceived: ["origin", "messageId"],
  remoteDeviceLists: ["userId"],
};

/**
 * Only a store says that a key is none, and it is asked when the write has long been acknowledged: so it is checked
 * before. @throws DataError
 */
export function checkKey(store: StoreName, value: unknown, key: unknown): void {
  const parts = inLineKeys[store];
  if (parts === undefined) indexedDB.cmp(key, key);
  else for (const part of parts) indexedDB.cmp((value as Record<string, unknown>)[part], 0);
}

export function deletion<S extends StoreName>(
  store: S,
  key: HearthSchema[S]["key"] | IDBKeyRange,
): Operation {
  if (!(key instanceof IDBKeyRange)) return { kind: "delete", store, key };
  const { lower, upper, lowerOpen, upperOpen } = key;
  return { kind: "deleteRange", store, range: [lower, upper, lowerOpen, upperOpen] };
}

export function namesToOperations(names: readonly { text: string; nid: Nid }[]): Operation[] {
  return names.flatMap(({ text, nid }): Operation[] => [
    { kind: "put", store: "names", value: nid, key: text },
    { kind: "put", store: "nameTexts", value: text, key: nid },
  ]);
}

/** The stores that these changes are in. */
export function storesOf({ operations, entries }: Changes): Set<StoreName> {
  const stores = new Set(operations.map(({ store }) => store));
  if (entries.length > 0) stores.add("log");
  return stores;
}

/** Asks for every change in a transaction that covers the stores; the log's entries become one row. */
export function applyChanges(tx: IDBTransaction, { operations, entries }: Changes): void {
  for (const operation of operations) {
    const store = tx.objectStore(operation.store);
    if (operation.kind === "delete") store.delete(operation.key);
    else if (operation.kind === "deleteRange") store.delete(IDBKeyRange.bound(...operation.range));
    else if (operation.key === undefined) store.put(operation.value);
    else store.put(operation.value, operation.key);
  }
  const last = entries.at(-1);
  if (last !== undefined) tx.objectStore("log").put(entriesToRow(entries), last.position);
}

export function changesToRow({ operations, entries }: Changes): ChangesRow {
  return { operations, first: entries[0]?.position ?? 0, entries: entriesToRow(entries) };
}

export function rowToChanges({ operations, first, entries }: ChangesRow): Changes {
  return {
    operations: operations as Operation[],
    entries: rowToEntries(first + entries.length - 1, entries),
  };
}
