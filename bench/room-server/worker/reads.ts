import type { Reads } from "../results.ts";

const methods = ["get", "getKey", "getAll", "getAllKeys", "openCursor", "openKeyCursor", "count"] as const;

type Method = (this: unknown, ...words: unknown[]) => IDBRequest<unknown>;

/** Counts what is read while `run` is under way, by whomever in this thread. */
export async function countReads(run: () => Promise<void>): Promise<Reads> {
  const reads: Reads = { requests: 0, records: 0 };
  const restore: (() => void)[] = [];
  for (const prototype of [IDBObjectStore.prototype, IDBIndex.prototype]) {
    const readers = prototype as unknown as Record<(typeof methods)[number], Method>;
    for (const method of methods) {
      const original = readers[method];
      readers[method] = function (...words) {
        const request = original.apply(this, words);
        reads.requests += 1;
        request.addEventListener("success", () => {
          reads.records += recordsIn(request.result);
        });
        return request;
      };
      restore.push(() => {
        readers[method] = original;
      });
    }
  }
  try {
    await run();
  } finally {
    for (const undo of restore) undo();
  }
  return reads;
}

/** A key, a row that is there or a cursor that stands on one is one. */
function recordsIn(result: unknown): number {
  // Rows of some stores are arrays themselves, but those are never asked for by `get` here more than one at a time.
  if (Array.isArray(result)) return result.length;
  return result === undefined || result === null ? 0 : 1;
}
