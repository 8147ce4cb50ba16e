/** A map with the keys of a room's state. */
export class StateMap<T> {
  readonly #types = new Map<string, Map<string, T>>();

  get(type: string, stateKey: string): T | undefined {
    return this.#types.get(type)?.get(stateKey);
  }

  has(type: string, stateKey: string): boolean {
    return this.#types.get(type)?.has(stateKey) ?? false;
  }

  set(type: string, stateKey: string, value: T): void {
    const entries = this.#types.get(type);
    if (entries === undefined) this.#types.set(type, new Map([[stateKey, value]]));
    else entries.set(stateKey, value);
  }

  *entries(): Generator<[type: string, stateKey: string, value: T]> {
    for (const [type, entries] of this.#types) {
      for (const [stateKey, value] of entries) yield [type, stateKey, value];
    }
  }

  *values(): Generator<T> {
    for (const entries of this.#types.values()) yield* entries.values();
  }
}
