/** `moved`: when it was put at the end. */
type Entry<V> = { readonly value: V; readonly weight: number; moved: number };

/**
 * A map that forgets what was used longest ago once the sum of its entries' weights passes a limit. A value is weighed
 * when it is set: whoever lets one grow that is in here sets it again.
 */
export class Lru<K, V> {
  readonly #entries = new Map<K, Entry<V>>();
  readonly #limit: number;
  readonly #weigh: (value: V) => number;
  #weight = 0;
  /** Counts how often an entry was put at the end, where those are that were used last. */
  #moves = 0;

  constructor(limit: number, weigh: (value: V) => number = () => 1) {
    this.#limit = limit;
    this.#weigh = weigh;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** The sum of what the entries weighed when they were set. */
  get weight(): number {
    return this.#weight;
  }

  get(key: K): V | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    // One that is among the newer half stays there: moving costs ten times what finding does.
    if (this.#moves - entry.moved < this.#entries.size / 2) return entry.value;
    this.#entries.delete(key);
    entry.moved = ++this.#moves;
    this.#entries.set(key, entry);
    return entry.value;
  }

  /** Those for which something holds, without using them. Looks at all of them. */
  filter(holds: (value: V) => boolean): [key: K, value: V][] {
    const found: [key: K, value: V][] = [];
    for (const [key, { value }] of this.#entries) if (holds(value)) found.push([key, value]);
    return found;
  }

  /** All keys, those that were used longest ago first, about. */
  keys(): K[] {
    return [...this.#entries.keys()];
  }

  set(key: K, value: V): void {
    this.delete(key);
    const weight = this.#weigh(value);
    this.#entries.set(key, { value, weight, moved: ++this.#moves });
    this.#weight += weight;
    for (const oldest of this.#entries.keys()) {
      if (this.#weight <= this.#limit || this.#entries.size === 1) break;
      this.delete(oldest);
    }
  }

  delete(key: K): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#weight -= entry.weight;
    this.#entries.delete(key);
  }

  clear(): void {
    this.#entries.clear();
    this.#weight = 0;
  }
}
