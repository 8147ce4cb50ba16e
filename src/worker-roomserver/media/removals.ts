import type { Storage } from "../storage/api.ts";
import type { MediaRow } from "../storage/schema.ts";
import type { MediaRows } from "./media-rows.ts";
import type { MediaUsage } from "./usage.ts";

/** Rows that are looked at together. */
const PAGE = 100;

export type RemovalsOptions = { storage: Storage; rows: MediaRows; usage: MediaUsage; now: () => number };

/** Takes media away, bytes and all. */
export class Removals {
  readonly #with: RemovalsOptions;

  constructor(options: RemovalsOptions) {
    this.#with = options;
  }

  /** One unit. To be called alone with its row. */
  async remove(row: MediaRow): Promise<void> {
    const { storage, rows, usage } = this.#with;
    const remove = await rows.removal(row);
    const { basis, put } = await usage.removed(row);
    await storage.commit(
      (write) => {
        remove(write);
        put(write);
      },
      { basis },
    );
  }

  /** What has reached its end: addresses that nobody has used, what can be fetched again, and previews. */
  async *dropExpired(): AsyncGenerator<void> {
    const { storage, rows, now } = this.#with;
    const ended = () => IDBKeyRange.upperBound(now());
    for (;;) {
      const expired = await storage.fromIndex("media", "until", ended(), PAGE);
      for (const { origin, id } of expired) {
        await rows.alone([origin, id], async () => {
          const row = await rows.get([origin, id]); // it may have been uploaded meanwhile
          if (row?.until !== undefined && row.until <= now()) await this.remove(row);
        });
        yield;
      }
      if (expired.length < PAGE) break;
    }
    for (;;) {
      const urls = await storage.keysFromIndex("urlPreviews", "until", ended(), PAGE);
      if (urls.length > 0) {
        await storage.commit(
          (write) => {
            for (const url of urls) write.delete("urlPreviews", url);
          },
          { relaxed: true },
        );
      }
      yield;
      if (urls.length < PAGE) return;
    }
  }
}
