import { describe, expect, test } from "vitest";
import type { JsonObject } from "../../src/matrix/json.ts";
import { notificationsEndpoints } from "../../src/sw/notifications.ts";
import { pushRulesEndpoints } from "../../src/sw/push-rules.ts";
import { pushersEndpoints } from "../../src/sw/pushers.ts";
import type { Node } from "../../src/worker-roomserver/node/api.ts";
import { asking } from "./support/ask.ts";
import { alice, nodeDouble } from "./support/node-double.ts";

const endpoints = [...pushRulesEndpoints, ...notificationsEndpoints, ...pushersEndpoints];
const v3 = "/_matrix/client/v3";
const rule = `${v3}/pushrules/global`;
const token = "alice";

const pusher = {
  pushkey: "k",
  kind: "http",
  app_id: "a",
  app_display_name: "A",
  device_display_name: "D",
  lang: "en",
  data: { url: "https://push.example.org/_matrix/push/v1/notify" },
};
const news = { next: "h2", notifications: [], read: ["!r:h"] };

/** A client of the endpoints, and what they have called the node with. */
function client() {
  const calls: unknown[][] = [];
  const noting =
    (name: string, answer: unknown = undefined) =>
    async (...parameters: unknown[]) => {
      calls.push([name, ...parameters.filter((one) => one !== alice)]);
      return answer;
    };
  const node = nodeDouble({
    push: {
      setRule: noting("setRule"),
      deleteRule: noting("deleteRule", {}),
      changeRule: noting("changeRule"),
      notifications: noting("notifications", { notifications: [] }),
      pushers: noting("pushers", [pusher]),
      setPusher: noting("setPusher"),
      watch: noting("watch", news),
    } as Partial<Node["push"]>,
  });
  return { ask: asking({ node, endpoints }), calls };
}

test.each<[method: string, path: string, body: JsonObject | undefined, call: unknown[], answer: object]>([
  [
    "PUT",
    `${rule}/content/cake?before=tea`,
    { pattern: "cake", actions: ["notify", { set_tweak: "sound", value: "x" }] },
    [
      "setRule",
      "content",
      "cake",
      { pattern: "cake", actions: ["notify", { set_tweak: "sound", value: "x" }] },
      { before: "tea" },
    ],
    {},
  ],
  [
    "PUT",
    `${rule}/override/a%2Fb?after=c`,
    {
      actions: ["dont_notify"],
      conditions: [{ kind: "event_match", key: "type", pattern: "x", constructor: 1 }],
    },
    [
      "setRule",
      "override",
      "a/b",
      {
        actions: ["dont_notify"],
        conditions: [{ kind: "event_match", key: "type", pattern: "x", constructor: 1 }],
      },
      { after: "c" },
    ],
    {},
  ],
  ["DELETE", `${rule}/room/!r%3Ah`, undefined, ["deleteRule", expect.any(String), "room", "!r:h"], {}],
  [
    "PUT",
    `${rule}/underride/.m.rule.message/enabled`,
    { enabled: false },
    ["changeRule", "underride", ".m.rule.message", { enabled: false }],
    {},
  ],
  [
    "PUT",
    `${rule}/sender/@x%3Ah/actions`,
    { actions: [] },
    ["changeRule", "sender", "@x:h", { actions: [] }],
    {},
  ],
  [
    "GET",
    `${v3}/notifications`,
    undefined,
    ["notifications", { from: undefined, limit: 20, onlyHighlights: false }],
    { notifications: [] },
  ],
  [
    "GET",
    `${v3}/notifications?from=h3&limit=1000&only=highlight`,
    undefined,
    ["notifications", { from: "h3", limit: 100, onlyHighlights: true }],
    { notifications: [] },
  ],
  ["GET", `${v3}/pushers`, undefined, ["pushers"], { pushers: [pusher] }],
  ["POST", `${v3}/pushers/set`, pusher, ["setPusher", pusher], {}],
  [
    "POST",
    `${v3}/pushers/set`,
    { kind: null, app_id: "a", pushkey: "k" },
    ["setPusher", { kind: null, app_id: "a", pushkey: "k" }],
    {},
  ],
  ["GET", "/_hearth/v1/notifications", undefined, ["watch", undefined, 0], news],
  ["GET", "/_hearth/v1/notifications?from=h1&timeout=90000", undefined, ["watch", "h1", 25_000], news],
])("%s %s with %j", async (method, path, body, call, answer) => {
  const { ask, calls } = client();
  const answered = await ask(method, path, { token, ...(body !== undefined && { body }) });
  expect(answered).toMatchObject({ status: 200, body: answer });
  expect(calls).toEqual([call]);
});

describe("is refused:", () => {
  test.each<[method: string, path: string, body: JsonObject | undefined, errcode: string]>([
    ["PUT", `${rule}/moon/x`, { actions: [] }, "M_INVALID_PARAM"],
    ["PUT", `${rule}/room/x`, {}, "M_MISSING_PARAM"],
    ["PUT", `${rule}/room/x`, { actions: "notify" }, "M_BAD_JSON"],
    ["PUT", `${rule}/room/x`, { actions: ["shout"] }, "M_BAD_JSON"],
    ["PUT", `${rule}/room/x`, { actions: [{}] }, "M_BAD_JSON"],
    ["PUT", `${rule}/override/x`, { actions: [], conditions: [{}] }, "M_BAD_JSON"],
    ["PUT", `${rule}/override/x`, { actions: [], conditions: {} }, "M_BAD_JSON"],
    ["PUT", `${rule}/content/x`, { actions: [], pattern: 1 }, "M_BAD_JSON"],
    ["PUT", `${rule}/room/x/enabled`, {}, "M_MISSING_PARAM"],
    ["PUT", `${rule}/room/x/enabled`, { enabled: "yes" }, "M_BAD_JSON"],
    ["PUT", `${rule}/room/x/actions`, { actions: [1] }, "M_BAD_JSON"],
    ["GET", `${v3}/notifications?limit=many`, undefined, "M_INVALID_PARAM"],
    ["POST", `${v3}/pushers/set`, { app_id: "a", pushkey: "k" }, "M_MISSING_PARAM"],
    ["POST", `${v3}/pushers/set`, { ...pusher, kind: 1 }, "M_BAD_JSON"],
    ["POST", `${v3}/pushers/set`, { ...pusher, data: [] }, "M_BAD_JSON"],
    ["POST", `${v3}/pushers/set`, { ...pusher, append: "yes" }, "M_BAD_JSON"],
    ["GET", "/_hearth/v1/notifications?timeout=-1", undefined, "M_INVALID_PARAM"],
  ])("%s %s with %j", async (method, path, body, errcode) => {
    const { ask, calls } = client();
    const answered = await ask(method, path, { token, ...(body !== undefined && { body }) });
    expect(answered).toMatchObject({ status: 400, body: { errcode } });
    expect(calls).toEqual([]);
  });

  test("an action that is none, in words that help", async () => {
    const { body } = await client().ask("PUT", `${rule}/room/x`, { token, body: { actions: ["shout"] } });
    expect(body.error).toBe('"actions.0" should be "notify", or an object with a "set_tweak".');
  });
});
