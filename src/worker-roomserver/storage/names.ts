import type { IDBPDatabase } from "idb";
import type { Names, Storage } from "./api.ts";
import type { NewName } from "./committer.ts";
import { Lru } from "./lru.ts";
import type { HearthSchema, Nid } from "./schema.ts";

const CACHED = 100_000;
/** Names that are read when the database is opened: all of a small node, and those that are in all rooms. */
const READ_AHEAD = 2_000;

/** The first names that were given, with one range. */
export async function firstNames(db: IDBPDatabase<HearthSchema>): Promise<NewName[]> {
  const { store } = db.transaction("nameTexts", "readonly");
  const [nids, texts] = await Promise.all([
    store.getAllKeys(null, READ_AHEAD),
    store.getAll(null, READ_AHEAD),
  ]);
  return texts.map((text, i) => ({ text, nid: nids[i]! }));
}

/** Interns strings over the `names` and `nameTexts` stores. */
export class StoredNames implements Names {
  readonly #storage: Pick<Storage, "get">;
  readonly #allocate: (text: string) => Nid;
  readonly #nids = new Lru<string, Nid>(CACHED);
  readonly #texts = new Lru<Nid, string>(CACHED);
  /** Asked for in vain: the state keys that most rooms do not have are asked for again and again. */
  readonly #absent = new Lru<string, true>(10_000);
  /** Given out, but perhaps not yet on the disk: these must not be looked for there. */
  readonly #fresh = new Map<string, Nid>();
  /** How many there are on the disk; undefined where they were too many to read. */
  #stored: number | undefined;

  /** Being read: a sync asks for the same few names for each of its rooms. */
  readonly #finding = new Map<string, Promise<Nid | undefined>>();
  readonly #reading = new Map<Nid, Promise<string>>();

  /** @param first - what `firstNames` has read */
  constructor(storage: Pick<Storage, "get">, allocate: (text: string) => Nid, first: readonly NewName[]) {
    this.#storage = storage;
    this.#allocate = allocate;
    this.#stored = first.length < READ_AHEAD ? 0 : undefined;
    this.written(first);
  }

  async intern(text: string): Promise<Nid> {
    const known = await this.find(text);
    if (known !== undefined) return known;
    // Another caller may have come first while the disk was asked.
    const meanwhile = this.#nids.get(text) ?? this.#fresh.get(text);
    if (meanwhile !== undefined) return meanwhile;
    const nid = this.#allocate(text);
    this.#absent.delete(text);
    this.#fresh.set(text, nid);
    return nid;
  }

  async find(text: string): Promise<Nid | undefined> {
    const cached = this.#nids.get(text) ?? this.#fresh.get(text);
    if (cached !== undefined) return cached;
    // Nobody else gives out names, so what is not there stays away until it is interned here.
    if (this.#areAllKnown || this.#absent.get(text) === true) return undefined;
    return once(this.#finding, text, () => this.#findStored(text));
  }

  async text(nid: Nid): Promise<string> {
    const cached = this.#texts.get(nid);
    if (cached !== undefined) return cached;
    for (const [text, fresh] of this.#fresh) if (fresh === nid) return text;
    return once(this.#reading, nid, () => this.#readStored(nid));
  }

  /** These are on the disk now. */
  written(names: readonly NewName[]): void {
    if (this.#stored !== undefined) this.#stored += names.length;
    for (const { text, nid } of names) {
      this.#remember(text, nid);
      this.#fresh.delete(text);
    }
  }

  /**
   * Whether every name is in memory. Then the disk need not be asked for one that is not there, which would wait for
   * all that is on its way into its stores: who sends to one room would wait for a flood into another one.
   */
  get #areAllKnown(): boolean {
    return this.#nids.size === this.#stored;
  }

  async #findStored(text: string): Promise<Nid | undefined> {
    const stored = await this.#storage.get("names", text);
    if (stored === undefined) {
      const meanwhile = this.#nids.get(text) ?? this.#fresh.get(text);
      if (meanwhile === undefined) this.#absent.set(text, true);
      return meanwhile;
    }
    this.#remember(text, stored);
    return stored;
  }

  async #readStored(nid: Nid): Promise<string> {
    const stored = await this.#storage.get("nameTexts", nid);
    if (stored === undefined) throw new Error(`name ${nid} is not in the database`);
    this.#remember(stored, nid);
    return stored;
  }

  #remember(text: string, nid: Nid): void {
    this.#nids.set(text, nid);
    this.#texts.set(nid, text);
  }
}

/** One read for all who ask for the same while it is under way. */
function once<K, V>(underWay: Map<K, Promise<V>>, key: K, read: () => Promise<V>): Promise<V> {
  const same = underWay.get(key);
  if (same !== undefined) return same;
  const result = read().finally(() => underWay.delete(key));
  underWay.set(key, result);
  return result;
}
