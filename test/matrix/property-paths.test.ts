import { expect, test } from "vitest";
import type { JsonObject } from "../../src/matrix/json.ts";
import { parsePropertyPath, pickProperties } from "../../src/matrix/property-paths.ts";

test.each<[path: string, names: string[]]>([
  ["content.body", ["content", "body"]],
  // The two examples of the spec's appendix.
  ["content.m\\.relates_to", ["content", "m.relates_to"]],
  ["content.m\\\\foo", ["content", "m\\foo"]],
  ["a\\x.b", ["a\\x", "b"]],
  ["a\\\\.b", ["a\\", "b"]],
  ["a\\", ["a\\"]],
  ["", [""]],
])("path %j", (path, names) => expect(parsePropertyPath(path)).toEqual(names));

const event: JsonObject = {
  type: "m.room.message",
  content: { body: "hi", "m.relates_to": { event_id: "$1", rel_type: "m.thread" }, list: [1] },
};

test.each<[what: string, paths: string[], picked: JsonObject]>([
  ["nothing", [], {}],
  ["a property", ["type"], { type: "m.room.message" }],
  ["what is not there", ["sender", "content.nothing", "type.deeper"], {}],
  ["a nested one", ["content.body"], { content: { body: "hi" } }],
  [
    "two of one parent",
    ["content.body", "content.m\\.relates_to.rel_type"],
    { content: { body: "hi", "m.relates_to": { rel_type: "m.thread" } } },
  ],
  ["a whole and a part of it", ["content", "content.body"], { content: event.content }],
  ["a part and then the whole", ["content.body", "content"], { content: event.content }],
])("picks %s", (_, paths, picked) => {
  const before = structuredClone(event);
  expect(pickProperties(event, paths.map(parsePropertyPath))).toEqual(picked);
  expect(event).toEqual(before);
});

test("a property called __proto__ is one like any other", () => {
  const odd = JSON.parse('{"__proto__": {"a": 1, "b": 2}}') as JsonObject;
  const picked = pickProperties(odd, [["__proto__", "a"]]);
  expect(JSON.stringify(picked)).toBe('{"__proto__":{"a":1}}');
  expect(Object.getPrototypeOf(picked)).toBe(Object.prototype);
});
