import fc from "fast-check";
import { expect, test } from "vitest";
import { byteRange } from "../../src/sw/byte-range.ts";

test.each<[header: string | null, size: number, range: [number, number] | "whole" | "none"]>([
  [null, 10, "whole"],
  ["bytes=0-0", 10, [0, 1]],
  ["bytes=0-", 10, [0, 10]],
  ["bytes=3-100", 10, [3, 10]],
  ["Bytes = 3 - 4", 10, [3, 5]],
  ["bytes=-3", 10, [7, 10]],
  ["bytes=-30", 10, [0, 10]],
  ["bytes=-0", 10, "none"],
  ["bytes=10-", 10, "none"],
  ["bytes=0-", 0, "none"],
  ["bytes=-1", 0, "none"],
  ["bytes=5-4", 10, "whole"],
  ["bytes=-", 10, "whole"],
  ["bytes=1-2,4-5", 10, "whole"],
  ["bytes=a-b", 10, "whole"],
  ["lines=1-2", 10, "whole"],
])("%j of %d bytes", (header, size, range) => {
  const [from, to] = typeof range === "string" ? [] : range;
  expect(byteRange(header, size)).toEqual(typeof range === "string" ? range : { from, to });
});

test("what is answered lies within the file, and is not empty", () => {
  const number = fc.oneof(fc.constant(""), fc.nat(30).map(String));
  fc.assert(
    fc.property(number, number, fc.nat(20), (first, last, size) => {
      const range = byteRange(`bytes=${first}-${last}`, size);
      if (typeof range === "string") return;
      expect(range.from).toBeGreaterThanOrEqual(0);
      expect(range.from).toBeLessThan(range.to);
      expect(range.to).toBeLessThanOrEqual(size);
    }),
  );
});
