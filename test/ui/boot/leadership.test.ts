import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type EndOfLead, takePart } from "../../../src/ui/boot/leadership.ts";

/** Web Locks, as far as an election needs them: one lock, and a queue for it. */
class OneLock {
  #tail: Promise<unknown> = Promise.resolve();
  #held = 0;

  async request<T>(
    _name: string,
    ...[options, run]: [{ ifAvailable: true }, (lock: object | null) => T] | [(lock: object) => T, undefined?]
  ): Promise<Awaited<T>> {
    if (typeof options === "object") {
      if (this.#held > 0) return await run!(null);
      return this.#enqueue(() => run!({}));
    }
    return this.#enqueue(() => options({}));
  }

  #enqueue<T>(run: () => T): Promise<Awaited<T>> {
    this.#held += 1;
    const turn = this.#tail.then(run) as Promise<Awaited<T>>;
    this.#tail = turn.finally(() => {
      this.#held -= 1;
    });
    return turn;
  }
}

/** A tab that takes part: what it has been told, and how to end its lead. */
function tab(name: string, told: string[]) {
  let end = (_: EndOfLead): void => undefined;
  const lead = () => {
    told.push(`${name} leads`);
    return new Promise<EndOfLead>((resolve) => (end = resolve));
  };
  const over = takePart("lock", lead, () => told.push(`${name} follows`)).then(() =>
    told.push(`${name} is out`),
  );
  return { end: (how: EndOfLead) => end(how), over };
}

beforeEach(() => void vi.stubGlobal("navigator", { locks: new OneLock() }));
afterEach(() => void vi.unstubAllGlobals());

test("the first leads, the others follow and wait their turn", async () => {
  const told: string[] = [];
  const first = tab("first", told);
  await vi.waitFor(() => expect(told).toEqual(["first leads"]));
  const second = tab("second", told);
  await vi.waitFor(() => expect(told).toEqual(["first leads", "second follows"]));
  first.end("for good");
  await first.over;
  await vi.waitFor(() => expect(told.slice(2).sort()).toEqual(["first is out", "second leads"]));
  second.end("for good");
  await second.over;
});

test("one that may lead again queues again behind the one that waits", async () => {
  const told: string[] = [];
  const first = tab("first", told);
  await vi.waitFor(() => expect(told).toHaveLength(1));
  const second = tab("second", told);
  await vi.waitFor(() => expect(told).toHaveLength(2));
  first.end("again");
  await vi.waitFor(() => expect(told.slice(2).sort()).toEqual(["first follows", "second leads"]));
  second.end("for good");
  await vi.waitFor(() => expect(told.slice(4).sort()).toEqual(["first leads", "second is out"]));
  first.end("for good");
  await first.over;
});
