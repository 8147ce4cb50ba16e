/** A map that forgets what was used longest ago once the sum of its entries' weights passes a limit. */
export class Lru<K, V> {
  /** With what each weighed when it was set: it may have changed since. */
  readonly #entries = new Map<K, { value: V; weight: number }>();
  readonly #limit: number;
  readonly #weigh: (value: V) => number;
  #weight = 0;

  constructor(limit: number, weigh: (value: V) => number = () => 1) {
    this.#limit = limit;
    this.#weigh = weigh;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: K): V | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.value;
  }

  /** Those for which something holds, without using them. Looks at all of them. */
  filter(holds: (value: V) => boolean): [key: K, value: V][] {
    const found: [key: K, value: V][] = [];
    for (const [key, { value }] of this.#entries) if (holds(value)) found.push([key, value]);
    return found;
  }

  set(key: K, value: V): void {
    this.delete(key);
    const weight = this.#weigh(value);
    this.#entries.set(key, { value, weight });
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
