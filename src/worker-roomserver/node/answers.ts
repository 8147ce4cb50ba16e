import type { JsonValue } from "../../matrix/json.ts";
import type { Storage, Write } from "../storage/api.ts";
import type { RequestId } from "./requester.ts";

/** Long after any client has given up waiting for an answer. */
const KEPT_MS = 10 * 60_000;

/** Puts an answer into the unit of the operation that it belongs to, so that both are stored or neither. */
export type RecordAnswer = <T extends JsonValue>(write: Write, answer: T) => T;

/**
 * Carries out each request once. The answer of an operation is stored with what it did; when the same request
 * comes again, to this leader or to the next, that answer is given.
 */
export class Answers {
  readonly #now: () => number;
  readonly #underWay = new Map<RequestId, Promise<JsonValue>>();
  readonly #earlier: Map<RequestId, string>;

  private constructor(now: () => number, earlier: Map<RequestId, string>) {
    this.#now = now;
    this.#earlier = earlier;
  }

  /** Reads what earlier leaders have answered, and drops what nobody can still be waiting for. */
  static async open(storage: Storage, now: () => number): Promise<Answers> {
    const old = IDBKeyRange.upperBound(now() - KEPT_MS);
    const tx = storage.db.transaction("answers", "readonly");
    const [keys, rows, stale] = await Promise.all([
      tx.store.getAllKeys(),
      tx.store.getAll(),
      tx.store.index("at").getAllKeys(old),
    ]);
    const earlier = new Map(rows.map((row, i) => [keys[i]!, row.json]));
    for (const key of stale) earlier.delete(key);
    if (stale.length > 0) {
      await storage.commit((write) => {
        for (const key of stale) write.delete("answers", key);
      });
    }
    return new Answers(now, earlier);
  }

  /**
   * @param operation - commits exactly one unit, and calls `record` in it with the answer
   * @returns the operation's answer, or the one given earlier to the same request
   */
  once<T extends JsonValue>(request: RequestId, operation: (record: RecordAnswer) => Promise<T>): Promise<T> {
    const earlier = this.#earlier.get(request);
    if (earlier !== undefined) return Promise.resolve(JSON.parse(earlier) as T);
    const same = this.#underWay.get(request);
    if (same !== undefined) return same as Promise<T>;
    let recorded: string | undefined;
    const answer = operation((write, value) => {
      recorded = JSON.stringify(value);
      write.put("answers", { at: this.#now(), json: recorded }, request);
      return value;
    });
    this.#underWay.set(request, answer);
    answer.then(
      () => {
        this.#underWay.delete(request);
        if (recorded !== undefined) this.#remember(request, recorded);
      },
      () => this.#underWay.delete(request), // it did nothing, so it may be tried again
    );
    return answer;
  }

  #remember(request: RequestId, json: string): void {
    this.#earlier.set(request, json);
    // The oldest go first: a Map keeps the order of insertion.
    for (const oldest of this.#earlier.keys()) {
      if (this.#earlier.size <= 10_000) break;
      this.#earlier.delete(oldest);
    }
  }
}
