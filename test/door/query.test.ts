import { describe, expect, test } from "vitest";
import { parseQuery } from "../../src/door/query.ts";

describe("query strings", () => {
  test.each<[string, Record<string, string | string[]>]>([
    ["", {}],
    ["?", {}],
    ["?a=1&b=2", { a: "1", b: "2" }],
    ["?a=1&a=2&a=3", { a: ["1", "2", "3"] }],
    ["?a", { a: "" }],
    ["?a=", { a: "" }],
    ["?a=b=c", { a: "b=c" }],
    ["?a=x+y%2Bz", { a: "x y+z" }],
    ["?%61=%E2%82%AC", { a: "€" }],
    ["?&&a=1&", { a: "1" }],
  ])("%s", (search, want) => {
    expect(parseQuery(search)).toEqual(want);
  });

  test("__proto__ is a name like any other", () => {
    expect(Object.keys(parseQuery("?__proto__=1"))).toEqual(["__proto__"]);
  });

  test.each(["?a=%", "?a=%4", "?a=%ff", "?%zz=1", "?a=%00"])("%s is refused", (search) => {
    expect(() => parseQuery(search)).toThrowError(
      expect.objectContaining({ errcode: "M_INVALID_PARAM", status: 400 }),
    );
  });
});
