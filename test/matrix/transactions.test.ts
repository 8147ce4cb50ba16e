import { expect, test } from "vitest";
import { readTransaction, roomIdOfPdu } from "../../src/matrix/transactions.ts";

test("PDUs are cut out as they were written, and EDUs are read", () => {
  expect(
    readTransaction('{"pdus":[ {"a":1.0} ,7],"edus":[{"edu_type":"m.typing","content":{"b":2},"c":3}]}'),
  ).toEqual({
    pdus: ['{"a":1.0}', "7"],
    edus: [{ edu_type: "m.typing", content: { b: 2 } }],
  });
});

test("what is not there is none, and an EDU that is none is left out", () => {
  expect(readTransaction("{}")).toEqual({ pdus: [], edus: [] });
  expect(readTransaction('{"edus":[1,null,{},{"edu_type":"a"},{"edu_type":1,"content":{}}]}').edus).toEqual(
    [],
  );
});

test("50 PDUs and 100 EDUs are a transaction", () => {
  const { pdus, edus } = readTransaction(
    JSON.stringify({ pdus: Array(50).fill({}), edus: Array(100).fill({ edu_type: "a", content: {} }) }),
  );
  expect([pdus.length, edus.length]).toEqual([50, 100]);
});

test.each([
  ["no JSON", "{", "M_NOT_JSON"],
  ["no object", "[]", "M_NOT_JSON"],
  ["PDUs that are no list", '{"pdus":{}}', "M_NOT_JSON"],
  ["EDUs that are no list", '{"edus":{}}', "M_BAD_JSON"],
  ["the same key twice", '{"pdus":[],"pdus":[]}', "M_BAD_JSON"],
  ["51 PDUs", JSON.stringify({ pdus: Array(51).fill({}) }), "M_BAD_JSON"],
  ["101 EDUs", JSON.stringify({ edus: Array(101).fill({}) }), "M_BAD_JSON"],
])("%s is no transaction", (_, text, errcode) => {
  expect(() => readTransaction(text)).toThrow(expect.objectContaining({ errcode }));
});

test.each([
  ['{"room_id":"!a:b"}', "!a:b"],
  ['{"room_id":7}', undefined],
  ["{}", undefined],
  ["7", undefined],
  ["{", undefined],
])("the room of %s is %s", (text, roomId) => expect(roomIdOfPdu(text)).toBe(roomId));
