import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { elementTexts, memberText } from "../../src/matrix/json-parts.ts";
import { jsonObject, jsonValue } from "./arbitraries.ts";

describe("elementTexts", () => {
  test("keeps each text as it was written", () => {
    const text = '{"pdus" : [ {"a":1.0,"a":2} , 1e2,"\\u0041","\ufeffé😀" ], "edus":[{}]}';
    expect(elementTexts(text, "pdus")).toEqual(['{"a":1.0,"a":2}', "1e2", '"\\u0041"', '"\ufeffé😀"']);
  });

  test("only this level's member counts, and one that is not there has no elements", () => {
    const text = '{"a":{"pdus":[1]},"b":"\\"pdus\\":[2]"}';
    expect(elementTexts(text, "pdus")).toEqual([]);
    expect(elementTexts(text, "toString")).toEqual([]);
  });

  test.each(['{"pdus":{}}', '{"pdus":null}', '{"pdus":[1}', "[]", '{"pdus":[]', ""])(
    "%j is refused",
    (text) => {
      expect(() => elementTexts(text, "pdus")).toThrow(expect.objectContaining({ errcode: "M_NOT_JSON" }));
    },
  );

  test("a member that comes twice is refused", () => {
    expect(() => elementTexts('{"pdus":[1],"pdus":[2]}', "pdus")).toThrow(
      expect.objectContaining({ errcode: "M_BAD_JSON" }),
    );
  });

  test("property: the texts are those of the elements, whatever stands beside them", () => {
    fc.assert(
      fc.property(jsonObject, fc.array(jsonValue), fc.constantFrom(undefined, 1), (beside, array, space) => {
        const text = JSON.stringify({ ...beside, state: array }, null, space);
        const texts = elementTexts(text, "state");
        expect(texts.map((element) => JSON.parse(element))).toEqual(JSON.parse(text).state);
        for (const element of texts) expect(text).toContain(element);
      }),
    );
  });

  test("ten thousand events of two kilobytes, with all that could mislead", () => {
    const body = '{\\"a\\":[\\\\\\"'.repeat(150);
    const event = `{"content":{"body":"${body}","n":[[{"x":1.0}]]},"depth":1}`;
    const text = `{"auth_chain":[${event}],"state":[${Array(10_000).fill(event).join(" ,\n")}]}`;
    const texts = elementTexts(text, "state");
    expect(texts).toHaveLength(10_000);
    expect(new Set(texts)).toEqual(new Set([event]));
  });
});

describe("memberText", () => {
  test.each([
    ['{"event": {"depth":1.0} ,"b":1}', "event", '{"depth":1.0}'],
    ['{"a":"event","\\u0065vent":1e3}', "event", "1e3"],
    ['{"a":{"event":1}}', "event", undefined],
    ['{"__proto__":[1]}', "__proto__", "[1]"],
    ["{}", "constructor", undefined],
  ])("%j has %s", (text, key, expected) => {
    expect(memberText(text, key)).toBe(expected);
  });

  test("property: it parses to the member", () => {
    fc.assert(
      fc.property(jsonObject, (object) => {
        const text = JSON.stringify(object);
        for (const [key, value] of Object.entries(JSON.parse(text))) {
          expect(JSON.parse(memberText(text, key) ?? "")).toEqual(value);
        }
      }),
    );
  });
});
