import type { Storage } from "../storage/api.ts";
import { randomId } from "./media-rows.ts";

/** Keys that are looked at together. */
const PAGE = 200;

/** Bytes in the store `blobs`, which are written before the unit that names them. */
export class Blobs {
  readonly #storage: Storage;
  /** On the disk or on their way there, and named by no unit yet. */
  readonly #unnamed = new Set<string>();

  constructor(storage: Storage) {
    this.#storage = storage;
  }

  /**
   * Writes bytes, then what names them.
   * @param commit - commits the unit that names the key. If it fails, `dropOrphans` removes the bytes again
   */
  async put<T>(blob: Blob, commit: (key: string) => Promise<T>): Promise<T> {
    const key = randomId();
    this.#unnamed.add(key);
    try {
      await this.#storage.putBlob(key, blob);
      return await commit(key);
    } finally {
      this.#unnamed.delete(key);
    }
  }

  get(key: string): Promise<Blob | undefined> {
    return this.#storage.get("blobs", key);
  }

  /**
   * Removes bytes that a crash, or a unit that failed, has left without anything that names them. One look at two
   * indexes for each blob, some hundred together.
   */
  async *dropOrphans(): AsyncGenerator<void> {
    let after = "";
    for (;;) {
      const keys = await this.#storage.getAllKeys("blobs", IDBKeyRange.lowerBound(after, true), PAGE);
      const last = keys.at(-1);
      if (last === undefined) return;
      // Looked at before the rows are: what is named meanwhile is in one or the other.
      const suspects = keys.filter((key) => !this.#unnamed.has(key));
      const named = await Promise.all(suspects.map((key) => this.#isNamed(key)));
      const orphans = suspects.filter((_, i) => !named[i]);
      if (orphans.length > 0) {
        await this.#storage.commit(
          (write) => {
            for (const key of orphans) write.delete("blobs", key);
          },
          { relaxed: true },
        );
      }
      yield;
      after = last;
    }
  }

  async #isNamed(key: string): Promise<boolean> {
    const range = IDBKeyRange.only(key);
    const [media, thumbnails] = await Promise.all([
      this.#storage.keysFromIndex("media", "blob", range, 1),
      this.#storage.keysFromIndex("thumbnails", "blob", range, 1),
    ]);
    return media.length + thumbnails.length > 0;
  }
}
