import fc from "fast-check";
import { expect, test } from "vitest";
import { readUserCode, userCodeOf } from "../../../src/matrix/oauth/user-code.ts";

const bytes = fc
  .uint8Array({ minLength: 64, maxLength: 64 })
  .filter((bytes) => bytes.filter((b) => b < 240).length >= 8);

test("a code is read however it is typed", () => {
  const style = fc.constantFrom<(code: string) => string>(
    (code) => code,
    (code) => code.toLowerCase(),
    (code) => code.replace("-", ""),
    (code) => ` ${code.replace("-", " ")} `,
    (code) => [...code].join(" "),
  );
  fc.assert(
    fc.property(bytes, style, (bytes, typed) => {
      const code = userCodeOf(bytes);
      expect(code).toMatch(/^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/);
      expect(readUserCode(typed(code))).toBe(code);
    }),
  );
});

test("bytes that would favour some letters are left out", () => {
  expect(userCodeOf(Uint8Array.from([240, 0, 255, 19, 20, 39, 239, 250, 1, 2, 3]))).toBe("BZBZ-ZCDF");
  expect(() => userCodeOf(new Uint8Array(64).fill(250))).toThrow(RangeError);
});

test.each(["", "BCDF-GHJ", "BCDF-GHJKL", "ACDF-GHJK", "BCDF_GHJK", "1234-5678"])("%j is no code", (typed) =>
  expect(readUserCode(typed)).toBeUndefined(),
);
