import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { sliceElements, sliceMembers } from "../../src/matrix/json-slices.ts";
import { jsonObject, jsonValue } from "./arbitraries.ts";

const notJson = expect.objectContaining({ errcode: "M_NOT_JSON", status: 400 });

describe("sliceElements", () => {
  test("keeps each text as it was written", () => {
    const text = ' [ {"a":1.0} , [1,[2]],"x,]\\"", 1e2 ,null] \n';
    expect(sliceElements(text)).toEqual(['{"a":1.0}', "[1,[2]]", '"x,]\\""', "1e2", "null"]);
  });

  test.each(["[]", "[ \t\r\n]"])("%j is empty", (text) => {
    expect(sliceElements(text)).toEqual([]);
  });

  test.each(["", "{}", "[", "[1", "[1,", "[1,]", "[1,]]", "[,1]", "[1] 2", "[[1]", '["a]', "[1 2]", "[]]"])(
    "%j is no array",
    (text) => {
      expect(() => sliceElements(text)).toThrow(notJson);
    },
  );

  test("does not mind depth, which is for the element's own parse", () => {
    const deep = "[".repeat(100_000) + "]".repeat(100_000);
    expect(sliceElements(`[${deep}]`)).toEqual([deep]);
  });

  test("property: the slices parse to the elements", () => {
    fc.assert(
      fc.property(fc.array(jsonValue), fc.constantFrom(undefined, 2), (array, space) => {
        const text = JSON.stringify(array, null, space);
        expect(sliceElements(text).map((slice) => JSON.parse(slice))).toEqual(JSON.parse(text));
      }),
    );
  });
});

describe("sliceMembers", () => {
  test("keeps each text as it was written, and decodes the keys", () => {
    const members = sliceMembers('{"pdus" : [ {"depth":1.0} ], "\\u0065dus":[],"__proto__":{} }');
    expect([...members]).toEqual([
      ["pdus", '[ {"depth":1.0} ]'],
      ["edus", "[]"],
      ["__proto__", "{}"],
    ]);
  });

  test.each([
    "",
    "[]",
    "{",
    '{"a"}',
    '{"a":}',
    '{"a":1,}',
    "{a:1}",
    '{"a":1',
    '{"a":1}}',
    "{1:2}",
    '{"a" 1}',
    '{"\\x":1}',
  ])("%j is no object", (text) => {
    expect(() => sliceMembers(text)).toThrow(notJson);
  });

  test("refuses a key that comes twice", () => {
    expect(() => sliceMembers('{"pdus":[],"\\u0070dus":[]}')).toThrow(
      expect.objectContaining({ errcode: "M_BAD_JSON" }),
    );
  });

  test("property: the slices parse to the members", () => {
    fc.assert(
      fc.property(jsonObject, (object) => {
        const parsed = [...sliceMembers(JSON.stringify(object))].map(([key, text]) => [
          key,
          JSON.parse(text),
        ]);
        expect(Object.fromEntries(parsed)).toEqual(JSON.parse(JSON.stringify(object)));
      }),
    );
  });
});
