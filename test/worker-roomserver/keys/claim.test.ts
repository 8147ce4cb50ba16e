import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { claimOne, type Somebody, type TestKeys, testKeys, userIdOf } from "../support/keys.ts";
import { diesAfterNextUnit } from "../support/rounds.ts";
import { logAfter } from "../support/storage.ts";
import { error, failNextCommit } from "../support/users.ts";

const SIGNED = "signed_curve25519";

async function start(oneTimeKeys: number): Promise<TestKeys & { alice: Somebody }> {
  const t = await testKeys();
  const alice = await t.join("alice");
  const one_time_keys = await alice.device.oneTimeKeys(oneTimeKeys);
  await t.keys.upload(alice, { one_time_keys });
  return { ...t, alice };
}

describe("a claim", () => {
  test("takes the keys that were uploaded first", async () => {
    const { keys, alice } = await start(2);
    const later = { "signed_curve25519:0": { key: "later", signatures: {} } };
    await keys.upload(alice, { one_time_keys: later });
    const claimed = [await claimOne(keys, alice), await claimOne(keys, alice), await claimOne(keys, alice)];
    expect(claimed[2]).toEqual(Object.entries(later)[0]);
    expect(new Set(claimed.map((key) => key?.[0])).size).toBe(3);
  });

  test("of many devices at once takes one of each; of what is not there nothing, and no failure", async () => {
    const { keys, join, logIn, alice } = await start(1);
    const laptop = await logIn("alice", "LAPTOP");
    await keys.upload(laptop, { one_time_keys: await laptop.device.oneTimeKeys(2) });
    const bob = await join("bob");
    await keys.upload(bob, { one_time_keys: { "a:A": "plain" } });
    const answer = await keys.claim("r", {
      [alice.userId]: { PHONE: SIGNED, LAPTOP: SIGNED, OTHER: SIGNED },
      [bob.userId]: { PHONE: "a" },
      [userIdOf("nobody")]: { PHONE: SIGNED },
      "@far:away.example": { PHONE: SIGNED },
    });
    expect(Object.keys(answer.one_time_keys[alice.userId]!).sort()).toEqual(["LAPTOP", "PHONE"]);
    expect(answer.one_time_keys[bob.userId]).toEqual({ PHONE: { "a:A": "plain" } });
    expect(Object.keys(answer.one_time_keys)).toHaveLength(2);
    expect(Object.keys(answer.failures)).toEqual(["away.example"]);
    await expect(keys.claim("s", { nobody: {} })).rejects.toEqual(error("M_INVALID_PARAM", 400));
  });

  test("takes the fallback key when no other is left, again and again, and says that it is used", async () => {
    const { keys, users, alice } = await start(1);
    const fallback_keys = await alice.device.fallbackKey();
    await keys.upload(alice, { fallback_keys });
    const unused = async () => (await keys.counts(alice.userId, "PHONE")).unusedFallbacks;
    expect(await claimOne(keys, alice)).not.toEqual(Object.entries(fallback_keys)[0]);
    expect(await unused()).toEqual([SIGNED]);
    expect(await claimOne(keys, alice)).toEqual(Object.entries(fallback_keys)[0]);
    expect(await unused()).toEqual([]);
    expect(await claimOne(keys, alice)).toEqual(Object.entries(fallback_keys)[0]);
    // Uploaded again it stays used; another takes its place.
    await keys.upload(alice, { fallback_keys });
    expect(await unused()).toEqual([]);
    const next = await alice.device.fallbackKey();
    await keys.upload(alice, { fallback_keys: next });
    expect(await unused()).toEqual([SIGNED]);
    expect(await claimOne(keys, alice)).toEqual(Object.entries(next)[0]);
    const told = (await logAfter(users.storage)).filter(({ topic }) => topic === "deviceList");
    expect(new Set(told.map(({ detail }) => detail))).toEqual(new Set(["claimed/PHONE"]));
  });

  test("that is asked for again by another leader is answered as before", async () => {
    const t = await start(2);
    const first = await claimOne(t.keys, t.alice, { request: "the same" });
    expect(await claimOne(t.keys, t.alice, { request: "the same" })).toEqual(first);
    const { keys } = await t.reopen();
    expect(await claimOne(keys, t.alice, { request: "the same" })).toEqual(first);
    expect((await keys.counts(t.alice.userId, "PHONE")).oneTimeKeys).toEqual({ [SIGNED]: 1 });
  });

  test("whose answer never came has taken its key, and whose unit never came has not", async () => {
    const t = await start(3);
    const dies = diesAfterNextUnit(t.users.storage);
    const lost = claimOne(t.keys, t.alice);
    await dies;
    const before = await lost;
    const { keys, users } = await t.reopen();
    expect(await claimOne(keys, t.alice)).not.toEqual(before);
    failNextCommit(users.storage);
    await expect(claimOne(keys, t.alice)).rejects.toThrow();
    expect((await keys.counts(t.alice.userId, "PHONE")).oneTimeKeys).toEqual({ [SIGNED]: 1 });
    expect(await claimOne(keys, t.alice)).toBeDefined();
  });

  test("remembers as many claimed keys as an upload can have, and not all that there ever were", async () => {
    const { keys, users, alice } = await start(0);
    const total = 250;
    for (let at = 0; at < total; at += 50) {
      const names = Array.from({ length: 50 }, (_, i) => `a:${at + i}`);
      await keys.upload(alice, { one_time_keys: Object.fromEntries(names.map((name) => [name, name])) });
      await Promise.all(names.map(() => claimOne(keys, alice, { algorithm: "a" })));
    }
    expect(await users.storage.getAllKeys("usedOneTimeKeys")).toHaveLength(200);
  });
});

/** What may happen to a device's keys; uploads say again some of what was said before. */
type Step =
  | { kind: "upload"; from: number; count: number }
  | { kind: "claim"; times: number }
  | { kind: "fail" }
  | { kind: "reopen" };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant("upload" as const), from: fc.nat(12), count: fc.nat(5) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant("claim" as const), times: fc.integer({ min: 1, max: 4 }) }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: "fail" as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: "reopen" as const }) },
);

test("in whatever order keys are uploaded and claimed, each is given out at most once, and none is lost", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(step, { maxLength: 4 }), { maxLength: 6 }), async (rounds) => {
      let t: TestKeys = await testKeys();
      const alice = await t.join("alice");
      const uploaded = new Set<string>();
      const claimed: string[] = [];
      const run = async (one: Step): Promise<void> => {
        if (one.kind === "upload") {
          const names = Array.from({ length: one.count }, (_, i) => `a:${one.from + i}`);
          const one_time_keys = Object.fromEntries(names.map((name) => [name, `key of ${name}`]));
          await t.keys.upload(alice, { one_time_keys }).then(
            () => {
              for (const name of names) uploaded.add(name);
            },
            () => undefined, // the disk did not take it
          );
        } else if (one.kind === "claim") {
          const found = await Promise.allSettled(
            Array.from({ length: one.times }, () => claimOne(t.keys, alice, { algorithm: "a" })),
          );
          for (const each of found) {
            if (each.status === "fulfilled" && each.value !== undefined) claimed.push(each.value[0]);
          }
        } else if (one.kind === "fail") failNextCommit(t.users.storage);
      };
      for (const round of rounds) {
        await Promise.all(round.map(run));
        if (round.some(({ kind }) => kind === "reopen")) t = await t.reopen();
      }
      t = await t.reopen(); // what was to fail and has not is forgotten
      await run({ kind: "claim", times: 30 });
      expect(new Set(claimed).size).toBe(claimed.length);
      expect([...uploaded].filter((name) => !claimed.includes(name))).toEqual([]);
      expect(claimed.filter((name) => !uploaded.has(name))).toEqual([]);
      expect((await t.keys.counts(alice.userId, "PHONE")).oneTimeKeys).toEqual({ [SIGNED]: 0 });
    }),
    { numRuns: 25 }, // each is a database of its own, opened more than once
  );
});
