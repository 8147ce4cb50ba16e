import type { StoreName } from "./schema.ts";

type Start = (open: OpenTransaction) => void;
type Waiting = { store: StoreName; start: Start; fail: (error: unknown) => void };
type OpenTransaction = { tx: IDBTransaction; stores: ReadonlySet<StoreName> };

/** What is read of a room leads from one of these to the next, so a transaction over one of them has them all. */
const ROOM_STORES: readonly StoreName[] = [
  "events",
  "snapshots",
  "memberships",
  "names",
  "nameTexts",
  "receipts",
  "accountData",
  "pushActions",
];

/**
 * Reads single rows and ranges with few transactions: opening one costs about as much as ten reads. Requests made
 * in the same tick go into one transaction, and those made while an answer of it is being handled go into the same.
 */
export class BatchReader {
  readonly #db: IDBDatabase;
  #waiting: Waiting[] = [];
  /** The transaction that has been opened, or has given an answer, last. */
  #latest: OpenTransaction | undefined;

  constructor(db: IDBDatabase) {
    this.#db = db;
  }

  request<T>(store: StoreName, ask: (rows: IDBObjectStore) => IDBRequest<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const start = (open: OpenTransaction) => {
        const request = ask(open.tx.objectStore(store));
        request.onsuccess = () => {
          this.#latest = open;
          resolve(request.result);
        };
        request.onerror = () => reject(request.error);
      };
      if (this.#latest?.stores.has(store) && tryToStart(start, this.#latest)) return;
      this.#waiting.push({ store, start, fail: reject });
      if (this.#waiting.length === 1) queueMicrotask(() => this.#flush());
    });
  }

  #flush(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    const stores = new Set(waiting.map((one) => one.store));
    if (ROOM_STORES.some((store) => stores.has(store))) for (const store of ROOM_STORES) stores.add(store);
    try {
      const tx = this.#db.transaction([...stores], "readonly");
      const open = { tx, stores };
      this.#latest = open;
      const forget = () => {
        if (this.#latest === open) this.#latest = undefined;
      };
      tx.oncomplete = forget;
      tx.onabort = forget;
      for (const one of waiting) one.start(open);
    } catch (error) {
      // The database is closed or going away: each caller is told.
      for (const one of waiting) one.fail(error);
    }
  }
}

/** A transaction takes requests only while one of its answers is being handled; asking it is the way to know. */
function tryToStart(start: Start, open: OpenTransaction): boolean {
  try {
    start(open);
    return true;
  } catch (error) {
    if (
      error instanceof DOMException &&
      (error.name === "TransactionInactiveError" || error.name === "InvalidStateError")
    ) {
      return false;
    }
    throw error;
  }
}
