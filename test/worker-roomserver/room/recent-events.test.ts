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

/** The disk and who reads it: what is found may be of any moment between the beginning of a read and its end. */
test("property: what was read of the disk is kept only where it fills in what memory lacks", () => {
  const room = fc.integer({ min: 1, max: 2 });
  const stretch = fc.record({
    from: fc.oneof(fc.integer({ min: 40, max: 160 }), fc.constant(Number.POSITIVE_INFINITY)),
    after: fc.oneof(fc.integer({ min: -20, max: 150 }), fc.constant(Number.NEGATIVE_INFINITY)),
    count: fc.integer({ min: 1, max: 40 }),
  });
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.record({ does: fc.constant("write" as const), room }) },
    {
      weight: 1,
      arbitrary: fc.record({
        does: fc.constant("insert" as const),
        room,
        order: fc.integer({ min: 1, max: 99 }),
      }),
    },
    { weight: 3, arbitrary: fc.record({ does: fc.constant("read" as const), room, stretch }) },
    { weight: 2, arbitrary: fc.record({ does: fc.constant("find" as const) }) },
    { weight: 2, arbitrary: fc.record({ does: fc.constant("keep" as const) }) },
  );
  type Stretch = { from: number; after: number; count: number };
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.integer({ min: 1, max: 100 }), { maxLength: 60 }),
      fc.array(step, { maxLength: 60 }),
      (old, steps) => {
        const { recent, written, write } = following();
        for (const order of old) written.push({ room: 1 + (order % 2), order });
        const onDisk = (nid: number, { from, after, count }: Stretch) =>
          written
            .filter((event) => event.room === nid && after < event.order && event.order <= from)
            .sort((a, b) => b.order - a.order)
            .slice(0, count)
            .map(({ order }) => ({ nid: order, order, current: order + 1_000 }) as unknown as StoredEvent);
        const reads: {
          room: number;
          stretch: Stretch;
          keep: (found: StoredEvent[]) => void;
          found?: StoredEvent[];
        }[] = [];
        for (const does of steps) {
          if (does.does === "write") write(does.room);
          else if (does.does === "insert") {
            const order = does.order + 0.5;
            if (written.some((event) => event.room === does.room && event.order === order)) continue;
            recent.inserted(does.room, order);
            written.push({ room: does.room, order });
          } else if (does.does === "read") {
            reads.push({ ...does, keep: recent.reading(does.room, does.stretch) });
          } else if (does.does === "find") {
            const next = reads.find(({ found }) => found === undefined);
            if (next !== undefined) next.found = onDisk(next.room, next.stretch);
          } else {
            const at = reads.findIndex(({ found }) => found !== undefined);
            const [done] = at === -1 ? [] : reads.splice(at, 1);
            done?.keep(done.found!);
          }
          for (const count of [1, 7, 1_000]) {
            for (const [from, after] of [
              [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
              [120, 60],
              [90, 30.5],
            ] as const) {
              for (const nid of [1, 2]) {
                const answer = recent.backward(nid, { from, after, count });
                if (answer === undefined) continue;
                expect(answer.map(({ order }) => order)).toEqual(
                  onDisk(nid, { from, after, count }).map(({ order }) => order),
                );
              }
            }
          }
        }
      },
    ),
  );
});

test("a page that was read is in memory from then on, with what comes after it", () => {
  const { recent, write } = following();
  const page = Array.from({ length: 101 }, (_, i) => ({ nid: 100 - i, order: 100 - i, current: 1 }));
  const whole = { from: 100, after: Number.NEGATIVE_INFINITY, count: 101 };
  expect(recent.backward(1, whole)).toBeUndefined();
  recent.reading(1, whole)(page as unknown as StoredEvent[]);
  expect(recent.backward(1, whole)).toHaveLength(101);
  write(1);
  expect(recent.backward(1, { ...whole, from: 101, count: 2 })?.map(({ order }) => order)).toEqual([
    101, 100,
  ]);
  expect(recent.backward(1, { ...whole, from: 101, count: 103 })).toBeUndefined();
});

test("what came while a page was read is there once, though the page has it as well", () => {
  const { recent, write } = following();
  const keep = recent.reading(1, { from: 200, after: Number.NEGATIVE_INFINITY, count: 10 });
  write(1);
  keep([101, 100].map((order) => ({ nid: order, order, current: 1 }) as unknown as StoredEvent));
  const all = recent.backward(1, { from: 200, after: Number.NEGATIVE_INFINITY, count: 10 });
  expect(all?.map(({ order }) => order)).toEqual([101, 100]);
});

test("what was read while the room was purged is not kept", () => {
  const { recent } = following();
  const whole = { from: 100, after: Number.NEGATIVE_INFINITY, count: 10 };
  const keep = recent.reading(1, whole);
  recent.purge(1);
  recent.purged(1);
  keep([{ nid: 1, order: 1, current: 1 } as unknown as StoredEvent]);
  expect(recent.backward(1, whole)).toBeUndefined();
});
