import fc from "fast-check";
import type { Storage } from "../../../../src/worker-roomserver/storage/api.ts";
import type { RefEvent } from "../../../reference/events.ts";
import type { HostedRoom } from "./hosted-room.ts";

/** How events come: in which order, how many at a time, which of them again, and when the homeserver dies. */
export type Delivery = {
  /** Which of the events that are left is next. */
  readonly turns: readonly number[];
  readonly sizes: readonly number[];
  /** After how many batches all events so far come once more. */
  readonly repeatAfter: number;
  /** After how many units nothing more reaches the disk; beyond their number, it does not die. */
  readonly diesAfter: number;
};

export const delivery: fc.Arbitrary<Delivery> = fc.record({
  turns: fc.array(fc.nat({ max: 20 }), { minLength: 1, maxLength: 60 }),
  sizes: fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 20 }),
  repeatAfter: fc.nat({ max: 10 }),
  diesAfter: fc.nat({ max: 120 }),
});

/** The events as batches; the create event, which nothing can come before, is in the first. */
export function batchesOf(events: readonly RefEvent[], { turns, sizes }: Delivery): RefEvent[][] {
  const [create, ...left] = events;
  const shuffled = [create!];
  for (let i = 0; left.length > 0; i++) {
    // Mostly one of the next few: nearly all would be missing something otherwise.
    const [next] = left.splice(turns[i % turns.length]! % left.length, 1);
    shuffled.push(next!);
  }
  const batches: RefEvent[][] = [];
  for (let i = 0, first = 0; first < shuffled.length; i++) {
    const size = sizes[i % sizes.length]!;
    batches.push(shuffled.slice(first, first + size));
    first += size;
  }
  return batches;
}

/** Hands events to a room in batches, and again what was in want of others, until nothing more is to be gained. */
export async function deliver(
  room: HostedRoom,
  events: readonly RefEvent[],
  how: Delivery,
): Promise<RefEvent[]> {
  let waiting: RefEvent[] = [];
  for (const [i, batch] of batchesOf(events, how).entries()) {
    waiting = [...waiting, ...(await missingAfter(room, batch))];
    if (i === how.repeatAfter) await room.receive([...events.slice(0, 1), ...batch]);
  }
  for (let before = Number.POSITIVE_INFINITY; waiting.length < before; ) {
    before = waiting.length;
    waiting = await missingAfter(room, waiting);
  }
  return waiting;
}

async function missingAfter(room: HostedRoom, batch: readonly RefEvent[]): Promise<RefEvent[]> {
  const verdicts = await room.receive(batch);
  return batch.filter((_, i) => verdicts[i]!.outcome === "missing");
}

/**
 * Ends this leader after some units: what comes later never reaches the disk, and nobody is answered.
 * @returns a promise that resolves when that has happened
 */
export function diesAfter(storage: Storage, units: number): Promise<void> {
  const commit = storage.commit.bind(storage);
  let left = units;
  const written: Promise<unknown>[] = [];
  return new Promise((resolve) => {
    storage.commit = (fill, options) => {
      if (left === 0 && !options?.lazy) {
        void Promise.allSettled(written).then(() => resolve());
        return new Promise(() => undefined);
      }
      left -= 1;
      const done = commit(fill, options);
      written.push(done);
      return done;
    };
  });
}
