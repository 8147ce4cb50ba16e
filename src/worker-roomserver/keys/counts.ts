import type { Storage } from "../storage/api.ts";
import { Lru } from "../storage/lru.ts";
import type { DeviceCounts, KeyCounts } from "./api.ts";
import { startingWith } from "./rows.ts";

const CACHED = 1_000;

/** What is said of an algorithm without keys: clients hold back their encryption if it is not said of this one. */
const NONE: KeyCounts = { signed_curve25519: 0 };

/** Counts one-time keys by their algorithms. */
export function countKeys(algorithms: Iterable<string>): KeyCounts {
  const counts = new Map(Object.entries(NONE));
  for (const algorithm of algorithms) counts.set(algorithm, (counts.get(algorithm) ?? 0) + 1);
  return Object.fromEntries(counts);
}

/** How many keys devices have left: each sync asks for it. */
export class Counts {
  readonly #storage: Storage;
  readonly #known = new Lru<string, DeviceCounts>(CACHED);
  /** Counts changes, so that what was read from the disk while one was made is read again. */
  #changes = 0;

  constructor(storage: Storage) {
    this.#storage = storage;
    storage.onRollback(() => {
      this.#changes += 1;
      this.#known.clear();
    });
  }

  async get(userId: string, deviceId: string): Promise<DeviceCounts> {
    const name = nameOf(userId, deviceId);
    for (;;) {
      const known = this.#known.get(name);
      if (known !== undefined) return known;
      const before = this.#changes;
      await this.#storage.settled();
      const counts = await this.#read(userId, deviceId);
      if (this.#changes === before) this.#known.set(name, counts);
    }
  }

  /** The unit that is being filled changes the device's keys. */
  changed(userId: string, deviceId: string): void {
    this.#changes += 1;
    this.#known.delete(nameOf(userId, deviceId));
  }

  async #read(userId: string, deviceId: string): Promise<DeviceCounts> {
    const range = startingWith(userId, deviceId);
    const [own, deposited, fallbacks, fallbackRows] = await Promise.all([
      this.#storage.getAllKeys("oneTimeKeys", range),
      this.#storage.getAllKeys("depositedKeys", range),
      this.#storage.getAllKeys("fallbackKeys", range),
      this.#storage.getAll("fallbackKeys", range),
    ]);
    return {
      oneTimeKeys: countKeys([...own, ...deposited].map(([, , algorithm]) => algorithm)),
      unusedFallbacks: fallbacks.filter((_, i) => !fallbackRows[i]!.used).map(([, , algorithm]) => algorithm),
    };
  }
}

const nameOf = (userId: string, deviceId: string) => JSON.stringify([userId, deviceId]);
