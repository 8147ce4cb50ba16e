import fc from "fast-check";
import { expect, test } from "vitest";
import { defaultRuleset } from "../../../src/matrix/push-rules/default-rules.ts";
import { refusal } from "../support/requester.ts";
import { diesAfterNextUnit, failCommit } from "../support/rounds.ts";
import { logAfter } from "../support/storage.ts";
import { openPushTest as open, type PushTest, unread } from "./support/push.ts";

const cake = { pattern: "cake", actions: ["notify", { set_tweak: "highlight" }] };

const contentRules = async (t: PushTest, who = "bob") =>
  (await t.push.rules(t.user(who))).global.content.map(({ rule_id }) => rule_id);

test("a change is kept, and told as account data", async () => {
  const t = await open();
  const before = t.storage.position;
  await t.push.setRule(t.user("bob"), "content", "cake", cake, {});
  const entries = await logAfter(t.storage, before);
  const user = await t.storage.names.find(t.user("bob").userId);
  expect(entries).toMatchObject([{ topic: "accountData", user, room: 0, detail: "m.push_rules" }]);
  const own = { rule_id: "cake", default: false, enabled: true, ...cake };
  expect((await t.push.rules(t.user("bob"))).global.content).toEqual([own]);
  const { content } = (await t.push.rulesEvent(t.user("bob").userId)) as { content: { global: object } };
  expect(content.global).toEqual({ ...defaultRuleset(t.user("bob").userId), content: [own] });
  expect(await contentRules(t, "alice")).toEqual([]);
  t.push.close();
  expect(await contentRules(await open(t.storage.name))).toEqual(["cake"]);
});

test("what changes nothing is no news", async () => {
  const t = await open();
  await t.push.setRule(t.user("bob"), "content", "cake", cake, {});
  const { position } = t.storage;
  await t.push.setRule(t.user("bob"), "content", "cake", cake, {});
  await t.push.changeRule(t.user("bob"), "underride", ".m.rule.message", { enabled: true });
  expect(t.storage.position).toBe(position);
});

test("a change counts from then on, and for nobody else", async () => {
  const t = await open();
  const roomId = await t.roomOf("alice", "bob", "carol");
  await t.send("alice", roomId, { body: "cake" });
  expect(await t.counts("bob", roomId)).toEqual(unread(1));
  await t.push.setRule(t.user("bob"), "content", "cake", cake, {});
  await t.send("alice", roomId, { body: "a cake!" });
  expect(await t.counts("bob", roomId)).toEqual(unread(2, 1));
  await t.push.setRule(t.user("bob"), "room", roomId, { actions: [] }, {});
  await t.send("alice", roomId);
  await t.send("alice", roomId, { body: "cake" });
  expect(await t.counts("bob", roomId)).toEqual(unread(3, 2));
  await t.push.changeRule(t.user("bob"), "content", "cake", { enabled: false });
  await t.send("alice", roomId, { body: "cake" });
  expect(await t.counts("bob", roomId)).toEqual(unread(3, 2));
  await t.push.deleteRule(t.request(), t.user("bob"), "room", roomId);
  await t.send("alice", roomId, { body: "cake" });
  expect(await t.counts("bob", roomId)).toEqual(unread(4, 2));
  await t.push.changeRule(t.user("bob"), "override", ".m.rule.master", { enabled: true });
  await t.send("alice", roomId, { body: "cake" });
  expect(await t.counts("bob", roomId)).toEqual(unread(4, 2));
  expect(await t.counts("carol", roomId)).toEqual(unread(7));
});

test("changes at the same time are made one after the other, and none is lost", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(fc.integer({ min: 0, max: 30 }), { minLength: 2, maxLength: 8 }),
      async (ids) => {
        const t = await open();
        const rule = (id: number, before?: number) =>
          t.push.setRule(t.user("bob"), "content", `${id}`, cake, {
            ...(before !== undefined && { before: `${before}` }),
          });
        await rule(ids[0]!);
        await Promise.all(ids.slice(1).map((id, i) => rule(id, ids[i])));
        // Each was put before the one that came before it.
        expect(await contentRules(t)).toEqual(ids.toReversed().map(String));
        t.push.close();
      },
    ),
    { numRuns: 10 },
  );
});

test("a change that is refused changes nothing", async () => {
  const t = await open();
  const bob = t.user("bob");
  const { position } = t.storage;
  const set = t.push.setRule(bob, "content", "cake", cake, { before: "tea" });
  expect(await refusal(set)).toEqual({ errcode: "M_UNKNOWN", status: 400 });
  const gone = { errcode: "M_NOT_FOUND", status: 404 };
  expect(await refusal(t.push.deleteRule(t.request(), bob, "content", "cake"))).toEqual(gone);
  expect(await refusal(t.push.deleteRule(t.request(), bob, "override", ".m.rule.master"))).toEqual(gone);
  expect(await refusal(t.push.changeRule(bob, "room", "!r:h", { actions: [] }))).toEqual(gone);
  expect(t.storage.position).toBe(position);
});

test("a removal is carried out once, also where its answer was lost with its leader", async () => {
  const t = await open();
  await t.push.setRule(t.user("bob"), "content", "cake", cake, {});
  const request = t.request();
  const died = diesAfterNextUnit(t.storage);
  void t.push.deleteRule(request, t.user("bob"), "content", "cake");
  await died;
  t.push.close();
  const next = await open(t.storage.name);
  expect(await next.push.deleteRule(request, next.user("bob"), "content", "cake")).toEqual({});
  expect(await contentRules(next)).toEqual([]);
});

test("a change that the disk does not take is not there", async () => {
  const t = await open();
  const failed = failCommit(t.storage);
  const set = t.push.setRule(t.user("bob"), "content", "cake", cake, {});
  const settled = await Promise.allSettled([failed, set]);
  const isThere = settled[1].status === "fulfilled";
  expect(await contentRules(t)).toEqual(isThere ? ["cake"] : []);
});
