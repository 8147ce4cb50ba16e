import fc from "fast-check";
import { expect, test } from "vitest";
import type { PositionedEntry } from "../../../src/worker-roomserver/log/entry.ts";
import type { StoredEvent } from "../../../src/worker-roomserver/room/api.ts";
import { RecentEvents } from "../../../src/worker-roomserver/room/recent-events.ts";
import type { Storage } from "../../../src/worker-roomserver/storage/api.ts";

/** The log from position 100 on, and what is known of its events. @param unknown - events that memory has lost */
function following(unknown: ReadonlySet<number> = new Set()) {
  let tell!: (entries: readonly PositionedEntry[]) => void;
  const storage = {
    position: 100,
    onEntries: (listener: typeof tell) => {
      tell = listener;
      return () => undefined;
    },
  } as unknown as Storage;
  const known = (nid: number) =>
    unknown.has(nid) ? undefined : ({ nid, order: nid, current: nid + 1_000 } as unknown as StoredEvent);
  const recent = new RecentEvents(storage, known);
  let position = 100;
  const written: { room: number; order: number }[] = [];
  return {
    recent,
    written,
    /** An event of its position's number. */
    write(room: number): void {
      position += 1;
      written.push({ room, order: position });
      tell([{ topic: "room", room, user: 0, event: position, detail: "", position }]);
    },
  };
}

test("property: it answers as the disk would, or not at all", () => {
  const query = fc.record({
    room: fc.integer({ min: 1, max: 3 }),
    from: fc.integer({ min: 90, max: 420 }),
    span: fc.integer({ min: 0, max: 330 }),
    count: fc.integer({ min: 1, max: 30 }),
  });
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom(1, 1, 1, 2), { maxLength: 300 }),
      fc.array(fc.integer({ min: 101, max: 400 }), { maxLength: 3 }),
      fc.array(query, { minLength: 1, maxLength: 20 }),
      (rooms, lost, queries) => {
        const { recent, written, write } = following(new Set(lost));
        for (const room of rooms) write(room);
        for (const { room, from, span, count } of queries) {
          const after = from - span;
          const answer = recent.backward(room, { from, after, count });
          const onDisk = written
            .filter((event) => event.room === room && after < event.order && event.order <= from)
            .map(({ order }) => ({ order, event: order, current: order + 1_000 }))
            .reverse();
          if (answer !== undefined) expect(answer).toEqual(onDisk.slice(0, count));
          // What has just come is never unknown, unless memory had lost it.
          else if (lost.length === 0) expect(after < 100 || rooms.length > 100).toBe(true);
        }
      },
    ),
  );
});

test("it keeps the end of a long timeline, and knows where that begins", () => {
  const { recent, write } = following();
  for (let i = 0; i < 1_000; i++) write(1);
  const newest = recent.backward(1, { from: 1_100, after: 0, count: 50 });
  expect(newest?.map(({ order }) => order)).toEqual(Array.from({ length: 50 }, (_, i) => 1_100 - i));
  expect(recent.backward(1, { from: 1_100, after: 100, count: 1_000 })).toBeUndefined();
  expect(recent.backward(1, { from: 300, after: 200, count: 10 })).toBeUndefined();
  // A room without any event since then has none.
  expect(recent.backward(2, { from: 1_100, after: 100, count: 10 })).toEqual([]);
  expect(recent.backward(2, { from: 1_100, after: 99, count: 10 })).toBeUndefined();
});

test("with very many rooms it begins anew", () => {
  const { recent, write } = following();
  for (let room = 1; room <= 20_001; room++) write(room);
  expect(recent.backward(1, { from: 20_101, after: 100, count: 1 })).toBeUndefined();
  write(1);
  expect(recent.backward(1, { from: 20_102, after: 20_101, count: 1 })).toHaveLength(1);
});
