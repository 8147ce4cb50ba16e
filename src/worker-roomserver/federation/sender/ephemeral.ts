import type { Edu } from "../api.ts";

/** As many wait for one server; the oldest make way. */
const MOST = 100;

/** What one server is told that is soon out of date. In memory alone. */
export class EphemeralEdus {
  readonly #edus = new Map<string, Edu>();
  #count = 0;

  get size(): number {
    return this.#edus.size;
  }

  /** @param key - an earlier one with it is out of date */
  add(edu: Edu, key: string | undefined): void {
    this.#count += 1;
    const name = key === undefined ? `#${this.#count}` : `=${key}`;
    this.#edus.delete(name);
    this.#edus.set(name, edu);
    for (const oldest of this.#edus.keys()) {
      if (this.#edus.size <= MOST) break;
      this.#edus.delete(oldest);
    }
  }

  take(): Edu[] {
    const edus = [...this.#edus.values()];
    this.#edus.clear();
    return edus;
  }
}
