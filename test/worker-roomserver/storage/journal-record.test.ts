import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeRecords, encodeRecord } from "../../../src/worker-roomserver/storage/journal-record.ts";
import type { Changes } from "../../../src/worker-roomserver/storage/operations.ts";

const changes: fc.Arbitrary<Changes> = fc.record({
  operations: fc.array(
    fc.oneof(
      fc.record({
        kind: fc.constant("put" as const),
        store: fc.constant("filters" as const),
        value: fc.oneof(
          fc.string({ unit: "binary" }),
          fc.uint32Array(),
          fc.record({ seed: fc.uint8Array() }),
        ),
        key: fc.tuple(fc.nat(), fc.string()),
      }),
      fc.record({
        kind: fc.constant("deleteRange" as const),
        store: fc.constant("filters" as const),
        range: fc.constant([[1], [1, []], false, true] as [IDBValidKey, IDBValidKey, boolean, boolean]),
      }),
    ),
    { maxLength: 4 },
  ),
  entries: fc
    .tuple(fc.integer({ min: 1, max: 1e9 }), fc.array(fc.string(), { maxLength: 3 }))
    .map(([first, details]) =>
      details.map((detail, i) => ({
        topic: "typing" as const,
        room: 1,
        user: 2,
        event: 0,
        detail,
        position: first + i,
      })),
    ),
});
const join = (parts: Uint8Array[]) => Uint8Array.from(parts.flatMap((part) => [...part]));

test("property: what was written is read, up to where the file was cut, or spoilt", () => {
  fc.assert(
    fc.property(
      fc.array(changes, { minLength: 1, maxLength: 4 }),
      fc.nat(),
      fc.boolean(),
      (all, where, isCut) => {
        const records = all.map((each, i) => encodeRecord(i + 7, each));
        const file = join(records);
        const expected = all.map((each, i) => ({ key: i + 7, changes: each }));
        expect([...decodeRecords(file, 0)]).toEqual(expected);

        const at = where % file.length;
        const damaged = isCut ? file.slice(0, at) : file.map((byte, i) => (i === at ? byte ^ 0xff : byte));
        let whole = 0;
        for (let end = 0; whole < records.length && end + records[whole]!.length <= at; whole++) {
          end += records[whole]!.length;
        }
        expect([...decodeRecords(damaged, 0)]).toEqual(expected.slice(0, whole));
      },
    ),
    { numRuns: 200 },
  );
});

test("records that are in their stores already are passed over", () => {
  const none: Changes = { operations: [], entries: [] };
  const file = join([3, 4, 5, 6].map((key) => encodeRecord(key, none)));
  const keysAfter = (after: number) => [...decodeRecords(file, after)].map(({ key }) => key);
  expect([keysAfter(2), keysAfter(4), keysAfter(6)]).toEqual([[3, 4, 5, 6], [5, 6], []]);
});

test("what is left from an earlier use of the file is not read", () => {
  const none: Changes = { operations: [], entries: [] };
  const earlier = [3, 4, 5].map((key) => encodeRecord(key, none));
  const file = join([encodeRecord(6, none), ...earlier.slice(1)]);
  expect([...decodeRecords(file, 0)].map(({ key }) => key)).toEqual([6]);
});

test.each([() => undefined, new Blob(["x"]), new Float64Array(1)])(
  "what JSON cannot keep is refused: %s",
  (value) => {
    const operation = { kind: "put" as const, store: "filters" as const, value, key: [1, "x"] };
    expect(() => encodeRecord(1, { operations: [operation], entries: [] })).toThrow(TypeError);
  },
);
