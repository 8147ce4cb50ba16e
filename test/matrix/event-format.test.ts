import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canonicalJson } from "../../src/matrix/canonical-json.ts";
import { MatrixError } from "../../src/matrix/errors.ts";
import {
  authEventIds,
  checkEventSize,
  checkFieldSizes,
  maxEventBytes,
  maxSentEventBytes,
  parsePdu,
  prevEventIds,
} from "../../src/matrix/event-format.ts";
import type { JsonObject, JsonValue } from "../../src/matrix/json.ts";
import { roomVersionRules } from "../../src/matrix/room-versions.ts";
import { versions } from "./auth-rules/judge.ts";
import { usualRoom } from "./room-builder.ts";

function outcome(parse: () => unknown): string {
  try {
    parse();
    return "ok";
  } catch (error) {
    if (error instanceof MatrixError) return `${error.errcode} ${error.status}`;
    throw error;
  }
}
const bad = "M_BAD_JSON 400";
const large = "M_TOO_LARGE 413";
/** Text of this many bytes, two to a character. */
const bytes = (count: number, before = "", after = "") =>
  before +
  "é".repeat((count - before.length - after.length) >> 1) +
  ((count - before.length - after.length) % 2 ? "x" : "") +
  after;

describe.each(versions("1"))("v%s", (version) => {
  const room = usualRoom({ version });
  const { rules } = room;
  const hasIds = rules.eventIdFormat === "domain";
  const { pdu } = room.event({ type: "m.room.topic", state_key: "", content: { topic: "x" } });
  const parse = (change: JsonObject) => outcome(() => parsePdu({ ...pdu, ...change }, rules));
  const reference = (id: string): JsonValue => (hasIds ? [id, { sha256: "x" }] : id);
  const id = hasIds ? "$x:a.example" : `$${"a".repeat(43)}`;
  const ids = (count: number) => Array.from({ length: count }, () => reference(id));

  test("an event of the room is one, and is given back as it is", () => {
    expect(parsePdu(pdu, rules)).toBe(pdu);
    expect(parsePdu(room.create.pdu, rules)).toBe(room.create.pdu);
  });

  test.each<JsonValue>([null, true, 5, "x", [], [pdu]])("%j is no event", (value) => {
    expect(outcome(() => parsePdu(value, rules))).toBe(bad);
  });

  test.each<[name: string, good: JsonValue[], bad: (JsonValue | undefined)[]]>([
    ["type", ["", "m.room.message"], [undefined, null, 5]],
    ["sender", ["@a:b", "@Ä !:b.example:8448"], [undefined, 5, "", "a:b", "@a", "!a:b", "@a:", "@a:b c"]],
    ["content", [{}, { body: "x" }], [undefined, null, [], "x"]],
    ["state_key", ["", "@a:b", "x"], [null, 5]],
    ["origin_server_ts", [0, 1, -1, 2 ** 53 - 1], [undefined, null, "1", 1.5, Number.NaN]],
    ["depth", [0, 1, 2 ** 53 - 1], [undefined, null, "1", -1, 1.5]],
    ["hashes", [{ sha256: "" }, { sha256: "x", other: 1 }], [undefined, null, [], {}, { sha256: 5 }]],
    [
      "signatures",
      [{}, { a: {} }, { a: { "ed25519:1": "x" } }],
      [undefined, null, [], { a: 1 }, { a: { b: 1 } }, { a: [] }],
    ],
    ["unsigned", [{}, { age: 5 }], [null, [], "x"]],
    ["prev_events", [[], [reference(id)]], [undefined, null, {}, "x", [null], [5], ["x"], [{}]]],
    ["auth_events", [[], [reference(id)]], [undefined, null, {}, "x", [null], [5], ["x"], [{}]]],
  ])("%s", (name, goods, bads) => {
    expect(goods.map((value) => parse({ [name]: value }))).toEqual(goods.map(() => "ok"));
    expect(bads.map((value) => parse({ [name]: value }))).toEqual(bads.map(() => bad));
  });

  test("redacts is text up to v10 and means nothing after that", () => {
    expect(parse({ redacts: "$x" })).toBe("ok");
    expect(parse({ redacts: 5 })).toBe(rules.redactsInContent ? "ok" : bad);
  });

  test("event_id with a domain is part of the format up to v2", () => {
    expect(parse({ event_id: "$x:b.example" })).toBe("ok");
    for (const value of [undefined, "x", `$${"a".repeat(43)}`]) {
      expect(parse({ event_id: value })).toBe(hasIds ? bad : "ok");
    }
    expect(parse({ event_id: 5 })).toBe(bad);
  });

  test("room_id has a domain up to v11 and none from v12 on", () => {
    const [withDomain, without] = ["!x:a.example", `!${"a".repeat(43)}`];
    expect(parse({ room_id: withDomain })).toBe(rules.roomIdIsCreateHash ? bad : "ok");
    expect(parse({ room_id: without })).toBe(rules.roomIdIsCreateHash ? "ok" : bad);
    for (const value of [undefined, null, "", "x:a.example", "!x"])
      expect(parse({ room_id: value })).toBe(bad);
  });

  test("room_id is left out of create events from v12 on, and only there", () => {
    const create = (change: JsonObject) => outcome(() => parsePdu({ ...room.create.pdu, ...change }, rules));
    expect(create({ room_id: undefined })).toBe(rules.roomIdIsCreateHash ? "ok" : bad);
    expect(create({ room_id: room.roomId })).toBe(rules.roomIdIsCreateHash ? bad : "ok");
  });

  test("references are pairs up to v2 and ids from v3 on, at most 20 and 10", () => {
    expect(parse({ prev_events: hasIds ? [id] : [[id, { sha256: "x" }]] })).toBe(bad);
    if (hasIds)
      for (const pair of [[id], [id, {}, {}], [id, "x"], ["x", {}]])
        expect(parse({ prev_events: [pair] })).toBe(bad);
    expect([parse({ prev_events: ids(20) }), parse({ prev_events: ids(21) })]).toEqual(["ok", bad]);
    expect([parse({ auth_events: ids(10) }), parse({ auth_events: ids(11) })]).toEqual(["ok", bad]);
    const parsed = parsePdu({ ...pdu, prev_events: ids(2), auth_events: ids(1) }, rules);
    expect([prevEventIds(parsed), authEventIds(parsed)]).toEqual([[id, id], [id]]);
  });

  test("depth goes to 2^63 - 1 up to v5, and to 2^53 - 1 from v6 on", () => {
    expect(parse({ depth: 2 ** 53 })).toBe(rules.strictCanonicalJson ? bad : "ok");
    // The double next to 2^63 - 1 is 2^63.
    expect(parse({ depth: 2 ** 63 })).toBe(rules.strictCanonicalJson ? bad : "ok");
    expect(parse({ depth: 2 ** 63 + 2048 })).toBe(bad);
  });

  test("floats and large integers are canonical up to v5 only, wherever they are", () => {
    for (const value of [1.5, 2 ** 53]) {
      expect(parse({ content: { deep: [value] } })).toBe(rules.strictCanonicalJson ? bad : "ok");
      expect(parse({ unsigned: { age: value } })).toBe(rules.strictCanonicalJson ? bad : "ok");
    }
    expect(parse({ content: { half: "\ud800" } })).toBe(bad);
  });

  test("ids, types and keys have 255 bytes", () => {
    const fields: [string, (count: number) => string][] = [
      ["type", (count) => bytes(count)],
      ["state_key", (count) => bytes(count)],
      ["sender", (count) => bytes(count, "@", ":b.example")],
    ];
    if (!rules.roomIdIsCreateHash) fields.push(["room_id", (count) => bytes(count, "!", ":b.example")]);
    if (hasIds) fields.push(["event_id", (count) => bytes(count, "$", ":b.example")]);
    for (const [name, make] of fields) {
      expect([name, parse({ [name]: make(255) }), parse({ [name]: make(256) })]).toEqual([name, "ok", large]);
    }
  });

  test("an event has 65,536 bytes of canonical JSON, one from here 65,535", () => {
    const sized = (size: number): JsonObject => {
      const empty = canonicalJson({ ...pdu, content: { body: "" } }).length;
      return { ...pdu, content: { body: bytes(size - empty) } };
    };
    const parseSized = (size: number) => outcome(() => parsePdu(sized(size), rules));
    expect([parseSized(maxEventBytes), parseSized(maxEventBytes + 1)]).toEqual(["ok", large]);
    const check = (size: number) => outcome(() => checkEventSize(canonicalJson(sized(size))));
    expect([check(maxSentEventBytes), check(maxSentEventBytes + 1)]).toEqual(["ok", large]);
    expect([maxEventBytes, maxSentEventBytes]).toEqual([65_536, 65_535]);
  });
});

test("checkFieldSizes measures the fields of an event alone", () => {
  const { pdu } = usualRoom().event({ type: "m.room.message" });
  expect(outcome(() => checkFieldSizes({ ...pdu, type: bytes(255) }))).toBe("ok");
  expect(outcome(() => checkFieldSizes({ ...pdu, type: bytes(256) }))).toBe(large);
  expect(outcome(() => checkFieldSizes({ ...pdu, content: { body: bytes(maxEventBytes) } }))).toBe("ok");
});

test("whatever the value, it is an event or refused as bad", () => {
  const base = usualRoom({ version: "11" }).event({ type: "m.room.message" }).pdu;
  const rules = roomVersionRules("11")!;
  const change = fc.dictionary(fc.constantFrom(...Object.keys(base)), fc.jsonValue({ maxDepth: 2 }), {
    maxKeys: 2,
  });
  fc.assert(
    fc.property(change, (values) => {
      const value = { ...base, ...(values as JsonObject) };
      const first = outcome(() => parsePdu(value, rules));
      expect(["ok", bad]).toContain(first);
      // What was accepted is accepted again after it was written down.
      if (first === "ok") expect(outcome(() => parsePdu(JSON.parse(canonicalJson(value)), rules))).toBe("ok");
    }),
  );
});

test("parsePdu accepts what it has accepted, written as canonical JSON", () => {
  const content = fc.dictionary(
    fc.string(),
    fc.oneof(fc.maxSafeInteger(), fc.string(), fc.boolean(), fc.constant(null)),
    {
      noNullPrototype: true,
    },
  );
  fc.assert(
    fc.property(fc.constantFrom(...versions("1")), content, (version, body) => {
      const room = usualRoom({ version });
      const { pdu } = room.event({ type: "m.room.message", content: body });
      const again = JSON.parse(canonicalJson(pdu)) as JsonValue;
      expect(parsePdu(again, room.rules)).toEqual(pdu);
    }),
  );
});
