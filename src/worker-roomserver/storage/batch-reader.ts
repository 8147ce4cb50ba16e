import type { StoreName } from "./schema.ts";

type Waiting = { store: StoreName; start: (tx: IDBTransaction) => void; fail: (error: unknown) => void };

/**
 * Reads single rows and ranges with few transactions: opening one costs about as much as ten reads. Requests made
 * in the same tick go into one transaction, and those made while an answer of it is being handled go into the same.
 */
export class BatchReader {
  readonly #db: IDBDatabase;
  #waiting: Waiting[] = [];
  #open: { tx: IDBTransaction; stores: ReadonlySet<StoreName> } | undefined;

  constructor(db: IDBDatabase) {
    this.#db = db;
  }

  request<T>(store: StoreName, ask: (rows: IDBObjectStore) => IDBRequest<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const start = (tx: IDBTransaction) => {
        const request = ask(tx.objectStore(store));
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
      };
      if (this.#open?.stores.has(store) && tryToStart(start, this.#open.tx)) return;
      this.#waiting.push({ store, start, fail: reject });
      if (this.#waiting.length === 1) queueMicrotask(() => this.#flush());
    });
  }

  #flush(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    const stores = new Set(waiting.map((one) => one.store));
    try {
      const tx = this.#db.transaction([...stores], "readonly");
      const open = { tx, stores };
      this.#open = open;
      const forget = () => {
        if (this.#open === open) this.#open = undefined;
      };
      tx.oncomplete = forget;
      tx.onabort = forget;
      for (const one of waiting) one.start(tx);
    } catch (error) {
      // The database is closed or going away: each caller is told.
      for (const one of waiting) one.fail(error);
    }
  }
}

/** A transaction takes requests only while one of its answers is being handled; asking it is the way to know. */
function tryToStart(start: (tx: IDBTransaction) => void, tx: IDBTransaction): boolean {
  try {
    start(tx);
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
