import { describe, expect, test } from "vitest";
import { defaultRuleset } from "../../src/matrix/push-rules/default-rules.ts";
import { accountDataEndpoints } from "../../src/sw/account-data.ts";
import { filtersEndpoints } from "../../src/sw/filters.ts";
import { presenceEndpoints } from "../../src/sw/presence.ts";
import { pushRulesEndpoints } from "../../src/sw/push-rules.ts";
import { receiptsEndpoints } from "../../src/sw/receipts.ts";
import { typingEndpoints } from "../../src/sw/typing.ts";
import type { Node } from "../../src/worker-roomserver/node/api.ts";
import { asking } from "./support/ask.ts";
import { alice, nodeDouble } from "./support/node-double.ts";

const endpoints = [
  ...accountDataEndpoints,
  ...filtersEndpoints,
  ...typingEndpoints,
  ...receiptsEndpoints,
  ...presenceEndpoints,
  ...pushRulesEndpoints,
];
const me = encodeURIComponent(alice.userId);
const v3 = "/_matrix/client/v3";
const token = "alice";

/** A client of the endpoints, and what they have called the node with. */
function client(answers: { tags?: object; filter_id?: string } = {}) {
  const calls: unknown[][] = [];
  const noting =
    (name: string, answer: unknown = undefined) =>
    async (...parameters: unknown[]) => {
      calls.push([name, ...parameters.slice(1)]);
      return answer;
    };
  const node = nodeDouble({
    accountData: {
      set: noting("set"),
      get: noting("get", { x: 1 }),
      tags: noting("tags", { tags: answers.tags ?? {} }),
      setTag: noting("setTag"),
      deleteTag: noting("deleteTag"),
      createFilter: noting("createFilter", { filter_id: "f" }),
      getFilter: noting("getFilter", { room: {} }),
    } as Partial<Node["accountData"]>,
    typing: { set: noting("typing") } as Partial<Node["typing"]>,
    receipts: { set: noting("receipts") } as Partial<Node["receipts"]>,
    presence: {
      set: noting("setPresence"),
      get: noting("presence", { presence: "online", last_active_ago: 5 }),
    } as Partial<Node["presence"]>,
    push: { rules: async () => ({ global: defaultRuleset(alice.userId) }) },
  });
  return { ask: asking({ node, endpoints }), calls };
}

test.each<[method: string, path: string, body: object | undefined, call: unknown[], answer: object]>([
  ["PUT", `/user/${me}/account_data/a`, { x: 1 }, ["set", alice.userId, null, "a", { x: 1 }], {}],
  ["GET", `/user/${me}/account_data/a`, undefined, ["get", alice.userId, null, "a"], { x: 1 }],
  ["PUT", `/user/${me}/rooms/!r%3Ah/account_data/a`, {}, ["set", alice.userId, "!r:h", "a", {}], {}],
  ["GET", `/user/${me}/rooms/!r%3Ah/account_data/a`, undefined, ["get", alice.userId, "!r:h", "a"], { x: 1 }],
  ["GET", `/user/${me}/rooms/!r%3Ah/tags`, undefined, ["tags", alice.userId, "!r:h"], { tags: {} }],
  [
    "PUT",
    `/user/${me}/rooms/!r%3Ah/tags/u.a%2Fb`,
    { order: 0.5 },
    ["setTag", alice.userId, "!r:h", "u.a/b", { order: 0.5 }],
    {},
  ],
  ["DELETE", `/user/${me}/rooms/!r%3Ah/tags/t`, undefined, ["deleteTag", alice.userId, "!r:h", "t"], {}],
  [
    "POST",
    `/user/${me}/filter`,
    { room: {} },
    ["createFilter", alice.userId, { room: {} }],
    { filter_id: "f" },
  ],
  ["GET", `/user/${me}/filter/f`, undefined, ["getFilter", alice.userId, "f"], { room: {} }],
  [
    "PUT",
    `/rooms/!r%3Ah/typing/${me}`,
    { typing: true, timeout: 5 },
    ["typing", "!r:h", alice.userId, true, 5],
    {},
  ],
  [
    "PUT",
    `/rooms/!r%3Ah/typing/${me}`,
    { typing: false },
    ["typing", "!r:h", alice.userId, false, 30_000],
    {},
  ],
  [
    "POST",
    "/rooms/!r%3Ah/receipt/m.read/$e",
    undefined,
    ["receipts", [{ roomId: "!r:h", type: "m.read", eventId: "$e", threadId: undefined }]],
    {},
  ],
  [
    "POST",
    "/rooms/!r%3Ah/receipt/m.read.private/$e",
    { thread_id: "main" },
    ["receipts", [{ roomId: "!r:h", type: "m.read.private", eventId: "$e", threadId: "main" }]],
    {},
  ],
  [
    "POST",
    "/rooms/!r%3Ah/read_markers",
    { "m.fully_read": "$a", "m.read": "$b", "m.read.private": "$c" },
    [
      "receipts",
      [
        { roomId: "!r:h", type: "m.fully_read", eventId: "$a" },
        { roomId: "!r:h", type: "m.read", eventId: "$b" },
        { roomId: "!r:h", type: "m.read.private", eventId: "$c" },
      ],
    ],
    {},
  ],
  ["POST", "/rooms/!r%3Ah/read_markers", {}, ["receipts", []], {}],
  [
    "PUT",
    `/presence/${me}/status`,
    { presence: "online", status_msg: "hi" },
    ["setPresence", alice.userId, "online", "hi"],
    {},
  ],
  [
    "PUT",
    `/presence/${me}/status`,
    { presence: "offline", status_msg: null },
    ["setPresence", alice.userId, "offline", undefined],
    {},
  ],
  [
    "GET",
    `/presence/${me}/status`,
    undefined,
    ["presence", alice.userId],
    { presence: "online", last_active_ago: 5 },
  ],
])("%s %s with %j", async (method, path, body, call, answer) => {
  const { ask, calls } = client();
  const answered = await ask(
    method,
    v3 + path,
    body === undefined ? { token } : { token, body: { ...body } },
  );
  expect(answered).toMatchObject({ status: 200, body: answer });
  expect(calls).toEqual([call]);
});

test.each<[method: string, path: string, body: object, errcode: string]>([
  ["PUT", `/rooms/!r%3Ah/typing/${me}`, { typing: "yes" }, "M_BAD_JSON"],
  ["PUT", `/rooms/!r%3Ah/typing/${me}`, {}, "M_MISSING_PARAM"],
  ["PUT", `/rooms/!r%3Ah/typing/${me}`, { typing: true, timeout: -1 }, "M_BAD_JSON"],
  ["POST", "/rooms/!r%3Ah/receipt/m.seen/$e", {}, "M_INVALID_PARAM"],
  ["POST", "/rooms/!r%3Ah/receipt/m.read/$e", { thread_id: 1 }, "M_INVALID_PARAM"],
  ["POST", "/rooms/!r%3Ah/receipt/m.read/$e", { thread_id: null }, "M_INVALID_PARAM"],
  ["POST", "/rooms/!r%3Ah/read_markers", { "m.read": 1 }, "M_BAD_JSON"],
  ["PUT", `/presence/${me}/status`, { presence: "busy" }, "M_BAD_JSON"],
])("%s %s with %j is refused", async (method, path, body, errcode) => {
  const { ask, calls } = client();
  const answered = await ask(method, v3 + path, { token, body: { ...body } });
  expect(answered).toMatchObject({ status: 400, body: { errcode } });
  expect(calls).toEqual([]);
});

describe("push rules", () => {
  const global = defaultRuleset(alice.userId);
  const message = global.underride.find((rule) => rule.rule_id === ".m.rule.message");
  test.each([
    ["/pushrules/", { global }],
    ["/pushrules/global/", global],
    ["/pushrules/global/underride/.m.rule.message", message],
    ["/pushrules/global/underride/.m.rule.message/enabled", { enabled: true }],
    ["/pushrules/global/override/.m.rule.master/enabled", { enabled: false }],
    ["/pushrules/global/underride/.m.rule.message/actions", { actions: ["notify"] }],
  ])("%s", async (path, body) => {
    expect(await client().ask("GET", v3 + path, { token })).toMatchObject({ status: 200, body });
  });

  test.each([
    ["/pushrules/global/override/.m.rule.message", 404, "M_NOT_FOUND"],
    ["/pushrules/global/content/cake/enabled", 404, "M_NOT_FOUND"],
    ["/pushrules/global/moon/.m.rule.message", 400, "M_INVALID_PARAM"],
  ])("%s is not there", async (path, status, errcode) => {
    expect(await client().ask("GET", v3 + path, { token })).toMatchObject({ status, body: { errcode } });
  });
});
