import type { JsonValue } from "../../matrix/json.ts";
import type { Storage, Write } from "../storage/api.ts";
import type { RequestId } from "./requester.ts";

/** Long after any client has given up waiting for an answer. */
const KEPT_MS = 10 * 60_000;

type AnswerRow = { at: number; json: string };

/** Puts an answer into the unit of the operation that it belongs to, so that both are stored or neither. */
export type RecordAnswer = <T extends JsonValue>(write: Write, answer: T) => T;

/**
 * Carries out each request once. The answer of an operation is stored with what it did; when the same request
 * comes again, to this leader or to the next, that answer is given.
 */
export class Answers {
  readonly #now: () => number;
  readonly #underWay = new Map<RequestId, Promise<JsonValue>>();
  /** Oldest first. */
  readonly #earlier: Map<RequestId, AnswerRow>;

  private constructor(now: () => number, earlier: Map<RequestId, AnswerRow>) {
    this.#now = now;
    this.#earlier = earlier;
  }

  /** Reads what earlier leaders have answered. */
  static async open(storage: Storage, now: () => number): Promise<Answers> {
    const [keys, rows] = await Promise.all([storage.getAllKeys("answers"), storage.getAll("answers")]);
    const found = rows.map((row, i) => [keys[i]!, row] as const).sort(([, a], [, b]) => a.at - b.at);
    const answers = new Answers(now, new Map(found));
    await storage.commit((write) => answers.#dropOld(write), { relaxed: true });
    return answers;
  }

  /**
   * @param operation - commits exactly one unit, and calls `record` in it with the answer
   * @returns the operation's answer, or the one given earlier to the same request
   */
  once<T extends JsonValue>(request: RequestId, operation: (record: RecordAnswer) => Promise<T>): Promise<T> {
    const earlier = this.#earlier.get(request);
    if (earlier !== undefined) return Promise.resolve(JSON.parse(earlier.json) as T);
    const same = this.#underWay.get(request);
    if (same !== undefined) return same as Promise<T>;
    let recorded: AnswerRow | undefined;
    const answer = operation((write, value) => {
      recorded = { at: this.#now(), json: JSON.stringify(value) };
      write.put("answers", recorded, request);
      this.#dropOld(write);
      return value;
    });
    this.#underWay.set(request, answer);
    answer.then(
      () => {
        this.#underWay.delete(request);
        if (recorded !== undefined) this.#earlier.set(request, recorded);
      },
      () => this.#underWay.delete(request), // it did nothing, so it may be tried again
    );
    return answer;
  }

  /** What nobody can still be waiting for. Logins are among it: they should not lie about. */
  #dropOld(write: Write): void {
    for (const [request, { at }] of this.#earlier) {
      if (at >= this.#now() - KEPT_MS) break;
      this.#earlier.delete(request);
      write.delete("answers", request);
    }
  }
}
