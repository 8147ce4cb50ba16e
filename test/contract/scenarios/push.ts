import { expect } from "vitest";
import type { JsonObject } from "../../../src/matrix/json.ts";
import { type Person, v3 } from "../support/person.ts";
import type { Prepared, Scenario } from "../support/scenario.ts";

const rules = `${v3}/pushrules/global`;
const robins: JsonObject = { pattern: "robin", actions: ["notify", { set_tweak: "highlight" }] };
const ofRobins = { kind: "content", ruleId: "org.example.robins" };
const path = `${rules}/content/org.example.robins`;

const pusher = {
  pushkey: "tablet-key",
  kind: "http",
  app_id: "org.example.app",
  app_display_name: "Example",
  device_display_name: "A tablet",
  profile_tag: "xyz",
  lang: "en",
  data: { url: "https://push.example/_matrix/push/v1/notify", format: "event_id_only" },
};

/** Somebody who is told of robins, and what they ask for. */
const withRule =
  (ask: (alice: Person) => Omit<Prepared, "as">): Scenario["prepare"] =>
  async ({ person }) => {
    const alice = await person();
    await alice.put(path, robins);
    return { as: alice, params: ofRobins, ...ask(alice) };
  };

export const pushScenarios: Scenario[] = [
  {
    operation: "getPushRules",
    route: "GET /_matrix/client/v3/pushrules/",
    prepare: async ({ person }) => ({
      as: await person(),
      check: ({ body }) =>
        expect(body.global).toMatchObject({
          override: expect.arrayContaining([expect.objectContaining({ rule_id: ".m.rule.master" })]),
        }),
    }),
  },
  {
    operation: "getPushRulesGlobal",
    route: "GET /_matrix/client/v3/pushrules/global/",
    prepare: async ({ person }) => ({
      as: await person(),
      check: ({ body }) =>
        expect(body.underride).toEqual(
          expect.arrayContaining([expect.objectContaining({ rule_id: ".m.rule.message" })]),
        ),
    }),
  },
  {
    operation: "getPushRule",
    route: "GET /_matrix/client/v3/pushrules/global/{kind}/{ruleId}",
    prepare: async ({ person }) => ({
      as: await person(),
      params: { kind: "override", ruleId: ".m.rule.master" },
      check: ({ body }) => expect(body).toMatchObject({ rule_id: ".m.rule.master", default: true }),
    }),
  },
  {
    operation: "setPushRule",
    route: "PUT /_matrix/client/v3/pushrules/global/{kind}/{ruleId}",
    // Conditions belong to rules of other kinds.
    ignores: ["conditions"],
    prepare: async ({ person }) => {
      const alice = await person();
      return {
        as: alice,
        params: ofRobins,
        body: robins,
        check: async () => expect(await alice.get(path)).toMatchObject({ ...robins, enabled: true }),
      };
    },
  },
  {
    operation: "setPushRule",
    title: "with conditions, before another",
    route: "PUT /_matrix/client/v3/pushrules/global/{kind}/{ruleId}",
    ignores: ["pattern"],
    prepare: async ({ person }) => {
      const alice = await person();
      await alice.put(`${rules}/override/org.example.last`, { conditions: [], actions: [] });
      return {
        as: alice,
        params: { kind: "override", ruleId: "org.example.first" },
        query: { before: "org.example.last" },
        body: { conditions: [{ kind: "event_match", key: "type", pattern: "m.*" }], actions: [] },
        check: async () => {
          const { global } = (await alice.get(`${v3}/pushrules/`)) as { global: JsonObject };
          const ids = (global.override as { rule_id: string }[]).map(({ rule_id }) => rule_id);
          const [first, last] = [ids.indexOf("org.example.first"), ids.indexOf("org.example.last")];
          expect(first).not.toBe(-1);
          expect(first).toBeLessThan(last);
        },
      };
    },
  },
  {
    operation: "deletePushRule",
    route: "DELETE /_matrix/client/v3/pushrules/global/{kind}/{ruleId}",
    prepare: withRule((alice) => ({
      check: async () => expect(await alice.status("GET", path)).toBe(404),
    })),
  },
  {
    operation: "isPushRuleEnabled",
    route: "GET /_matrix/client/v3/pushrules/global/{kind}/{ruleId}/enabled",
    prepare: async ({ person }) => ({
      as: await person(),
      params: { kind: "override", ruleId: ".m.rule.master" },
      check: ({ body }) => expect(body).toEqual({ enabled: false }),
    }),
  },
  {
    operation: "setPushRuleEnabled",
    route: "PUT /_matrix/client/v3/pushrules/global/{kind}/{ruleId}/enabled",
    prepare: withRule((alice) => ({
      body: { enabled: false },
      check: async () => expect(await alice.get(`${path}/enabled`)).toEqual({ enabled: false }),
    })),
  },
  {
    operation: "getPushRuleActions",
    route: "GET /_matrix/client/v3/pushrules/global/{kind}/{ruleId}/actions",
    prepare: async ({ person }) => ({
      as: await person(),
      params: { kind: "underride", ruleId: ".m.rule.message" },
      check: ({ body }) => expect(body.actions).toContain("notify"),
    }),
  },
  {
    operation: "setPushRuleActions",
    route: "PUT /_matrix/client/v3/pushrules/global/{kind}/{ruleId}/actions",
    prepare: withRule((alice) => ({
      body: { actions: ["notify"] },
      check: async () => expect(await alice.get(`${path}/actions`)).toEqual({ actions: ["notify"] }),
    })),
  },
  {
    operation: "getPushers",
    route: "GET /_matrix/client/v3/pushers",
    prepare: async ({ person }) => {
      const alice = await person();
      await alice.post(`${v3}/pushers/set`, pusher);
      return {
        as: alice,
        check: ({ body }) => expect(body.pushers).toEqual([expect.objectContaining(pusher)]),
      };
    },
  },
  {
    operation: "postPusher",
    route: "POST /_matrix/client/v3/pushers/set",
    prepare: async ({ person }) => {
      const alice = await person();
      return {
        as: alice,
        body: { ...pusher, append: false },
        check: async () =>
          expect((await alice.get(`${v3}/pushers`)).pushers).toEqual([expect.objectContaining(pusher)]),
      };
    },
  },
  {
    operation: "postPusher",
    title: "taking one away",
    route: "POST /_matrix/client/v3/pushers/set",
    // To take one away, its key and its app are enough.
    ignores: ["app_display_name", "device_display_name", "profile_tag", "lang", "data", "append"],
    prepare: async ({ person }) => {
      const alice = await person();
      await alice.post(`${v3}/pushers/set`, pusher);
      return {
        as: alice,
        body: { pushkey: pusher.pushkey, app_id: pusher.app_id, kind: null },
        check: async () => expect(await alice.get(`${v3}/pushers`)).toEqual({ pushers: [] }),
      };
    },
  },
  {
    operation: "getNotifications",
    route: "GET /_matrix/client/v3/notifications",
    // What is neither "highlight" nor absent has no meaning in the spec.
    ignores: ["only"],
    prepare: async ({ person }) => {
      const [alice, bob] = [await person(), await person()];
      const roomId = await alice.room();
      await bob.join(roomId);
      const eventId = await bob.say(roomId, "good morning");
      return {
        as: alice,
        query: { limit: "5" },
        check: ({ body }) =>
          expect(body.notifications).toEqual([
            expect.objectContaining({
              room_id: roomId,
              read: false,
              event: expect.objectContaining({ event_id: eventId }),
            }),
          ]),
      };
    },
  },
  {
    route: "GET /_hearth/v1/notifications",
    prepare: async ({ person }) => {
      const [alice, bob] = [await person(), await person()];
      const roomId = await alice.room();
      await bob.join(roomId);
      const { next } = await alice.get("/_hearth/v1/notifications");
      const eventId = await bob.say(roomId, "good morning");
      return {
        as: alice,
        query: { from: next as string, timeout: "0" },
        check: ({ body }) =>
          expect(body.notifications).toEqual([
            expect.objectContaining({ room_id: roomId, event_id: eventId, sender: bob.userId }),
          ]),
      };
    },
  },
];
