import { invalidParam, tooLarge } from "../../matrix/errors.ts";
import type { JsonValue } from "../../matrix/json.ts";
import { fingerprintOf, type NamedKey } from "../../matrix/one-time-keys.ts";
import type { Storage, Write } from "../storage/api.ts";
import type { FallbackKeyRow, OneTimeKeyRow } from "../storage/schema.ts";
import type { KeyCounts } from "./api.ts";
import { type Counts, countKeys } from "./counts.ts";
import { startingWith } from "./rows.ts";

/** Unclaimed keys of one device. Clients keep some 50; of what is beyond this they could not know the secret halves. */
const MOST_KEPT = 1_000;
/**
 * Claimed keys that are remembered for each algorithm: a client that never got the answer to an upload makes it again,
 * when some of it may have been claimed. An upload has some 50 keys.
 */
const CLAIMED_REMEMBERED = 200;

/** `key`: its name and itself, as it is given out. */
export type Claimed = { key: [name: string, key: JsonValue]; take: (write: Write) => void };

/** One-time and fallback keys of devices. Everything here is called, and used, under the lock of the account. */
export class OneTimeKeys {
  readonly #storage: Storage;
  readonly #counts: Counts;

  constructor(storage: Storage, counts: Counts) {
    this.#storage = storage;
    this.#counts = counts;
  }

  /**
   * @param isAnew - the device begins anew, without the keys that it had
   * @returns stores the keys, and says what there is then
   */
  async adding(
    device: [userId: string, deviceId: string],
    keys: { oneTime: readonly NamedKey[]; fallback: readonly NamedKey[] },
    isAnew: boolean,
  ): Promise<(write: Write) => KeyCounts> {
    const stored = await this.#stored(device, keys);
    if (isAnew) forgetUnclaimed(stored);
    const added = keys.oneTime.filter((key) => !isStored(stored, key));
    const algorithms = [...stored.algorithms, ...added.map(({ algorithm }) => algorithm)];
    if (algorithms.length > MOST_KEPT) {
      throw tooLarge(`A device may have ${MOST_KEPT} one-time keys that nobody has claimed.`);
    }
    const fallback = keys.fallback.filter(
      (key) => stored.fallbacks.get(`${key.algorithm}:${key.id}`) !== key.fingerprint,
    );
    return (write) => {
      if (isAnew) this.#removeUnclaimed(write, ...device);
      const last = new Map(stored.last);
      for (const { algorithm, id, json } of added) {
        const n = (last.get(algorithm) ?? 0) + 1;
        last.set(algorithm, n);
        write.put("oneTimeKeys", [id, json], [...device, algorithm, n]);
      }
      for (const { algorithm, id, json } of fallback) {
        write.put("fallbackKeys", { id, json, used: false }, [...device, algorithm]);
      }
      if (added.length > 0 || fallback.length > 0) this.#counts.changed(...device);
      return countKeys(algorithms);
    };
  }

  /** The key that is to be given out next; undefined if the device has none. At most two records. */
  async next(device: [userId: string, deviceId: string], algorithm: string): Promise<Claimed | undefined> {
    const range = startingWith(...device, algorithm);
    const [[row], [place]] = await Promise.all([
      this.#storage.getAll("oneTimeKeys", range, 1),
      this.#storage.getAllKeys("oneTimeKeys", range, 1),
    ]);
    if (row === undefined || place === undefined) return this.#fallback(device, algorithm);
    const [id, json] = row;
    const key = JSON.parse(json) as JsonValue;
    return {
      key: [`${algorithm}:${id}`, key],
      take: (write) => {
        write.delete("oneTimeKeys", place);
        this.used(write, place, row);
      },
    };
  }

  /** Remembers that a key has been given out, which is in its store no more. */
  used(write: Write, place: [string, string, string, number], [id, json]: OneTimeKeyRow): void {
    const [userId, deviceId, algorithm, n] = place;
    write.put("usedOneTimeKeys", [id, fingerprintOf(JSON.parse(json))], place);
    const old = [userId, deviceId, algorithm, n - CLAIMED_REMEMBERED];
    write.delete("usedOneTimeKeys", IDBKeyRange.bound([userId, deviceId, algorithm], old));
    this.#counts.changed(userId, deviceId);
  }

  /** Removes all that a device has. */
  remove(write: Write, userId: string, deviceId: string): void {
    this.#removeUnclaimed(write, userId, deviceId);
    write.delete("usedOneTimeKeys", startingWith(userId, deviceId));
  }

  #removeUnclaimed(write: Write, userId: string, deviceId: string): void {
    write.delete("oneTimeKeys", startingWith(userId, deviceId));
    write.delete("depositedKeys", startingWith(userId, deviceId));
    write.delete("fallbackKeys", startingWith(userId, deviceId));
    this.#counts.changed(userId, deviceId);
  }

  async #fallback(device: [string, string], algorithm: string): Promise<Claimed | undefined> {
    const row = await this.#storage.get("fallbackKeys", [...device, algorithm]);
    if (row === undefined) return undefined;
    return {
      key: [`${algorithm}:${row.id}`, JSON.parse(row.json) as JsonValue],
      take: (write) => {
        if (!row.used) this.usedFallback(write, [...device, algorithm], row);
      },
    };
  }

  /** Remembers that a fallback key has been given out. */
  usedFallback(write: Write, place: [string, string, string], row: FallbackKeyRow): void {
    write.put("fallbackKeys", { ...row, used: true }, place);
    this.#counts.changed(place[0], place[1]);
  }

  async #stored(
    device: [string, string],
    keys: { oneTime: readonly NamedKey[]; fallback: readonly NamedKey[] },
  ): Promise<Stored> {
    const range = startingWith(...device);
    const mayBeUsed = new Set(keys.oneTime.map(({ algorithm }) => algorithm));
    const [own, ownRows, deposited, depositedRows, used, fallbacks] = await Promise.all([
      this.#storage.getAllKeys("oneTimeKeys", range),
      this.#storage.getAll("oneTimeKeys", range),
      this.#storage.getAllKeys("depositedKeys", range),
      this.#storage.getAll("depositedKeys", range),
      Promise.all([...mayBeUsed].map((algorithm) => this.#used(device, algorithm))),
      Promise.all(
        keys.fallback.map(({ algorithm }) => this.#storage.get("fallbackKeys", [...device, algorithm])),
      ),
    ]);
    // Nobody has claimed those at a relay either, as far as is known here.
    const places = [...own, ...deposited];
    const rows = [...ownRows, ...depositedRows.map(([, ...row]): OneTimeKeyRow => row)];
    const stored: Stored = {
      algorithms: places.map(([, , algorithm]) => algorithm),
      last: new Map(used.flatMap((of) => of.last)),
      unclaimed: new Map(
        rows.map(([id, json], i) => [`${places[i]![2]}:${id}`, fingerprintOf(JSON.parse(json))]),
      ),
      claimed: new Map(used.flatMap((of) => of.claimed)),
      fallbacks: new Map(),
    };
    for (const [, , algorithm, n] of places) {
      stored.last.set(algorithm, Math.max(n, stored.last.get(algorithm) ?? 0));
    }
    fallbacks.forEach((row, i) => {
      if (row === undefined) return;
      stored.fallbacks.set(`${keys.fallback[i]!.algorithm}:${row.id}`, fingerprintOf(JSON.parse(row.json)));
    });
    return stored;
  }

  async #used(device: [string, string], algorithm: string): Promise<Used> {
    const range = startingWith(...device, algorithm);
    const [places, rows] = await Promise.all([
      this.#storage.getAllKeys("usedOneTimeKeys", range),
      this.#storage.getAll("usedOneTimeKeys", range),
    ]);
    const last = places.at(-1);
    return {
      last: last === undefined ? [] : [[algorithm, last[3]]],
      claimed: rows.map(([id, fingerprint]) => [`${algorithm}:${id}`, fingerprint]),
    };
  }
}

type Used = { last: [algorithm: string, n: number][]; claimed: [name: string, fingerprint: string][] };

/** What a device has, as far as an upload has to know. Keys by `<algorithm>:<id>` to their fingerprints. */
type Stored = {
  /** Of each unclaimed key. */
  algorithms: string[];
  /** The last place that was given to a key of an algorithm. */
  last: Map<string, number>;
  unclaimed: Map<string, string>;
  claimed: ReadonlyMap<string, string>;
  fallbacks: Map<string, string>;
};

/** What has been claimed stays so, and no place is given out again. */
function forgetUnclaimed(stored: Stored): void {
  stored.algorithms = [];
  stored.unclaimed.clear();
  stored.fallbacks.clear();
}

/**
 * Whether a key is there, or was and has been given out. Another key under the id of one that was given out is a new
 * key: a client that has lost its memory may count its ids from the beginning.
 * @throws MatrixError M_INVALID_PARAM 400 for another key under an id that is taken
 */
function isStored(stored: Stored, { algorithm, id, fingerprint }: NamedKey): boolean {
  const name = `${algorithm}:${id}`;
  const same = stored.unclaimed.get(name);
  if (same !== undefined && same !== fingerprint) {
    throw invalidParam(`There is another one-time key ${name} already.`);
  }
  return same !== undefined || stored.claimed.get(name) === fingerprint;
}
