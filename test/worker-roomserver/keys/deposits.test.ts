import fc from "fast-check";
import { describe, expect, inject, test } from "vitest";
import type { NamedKey } from "../../../src/worker-roomserver/keys/api.ts";
import { claimOne, type Somebody, type TestKeys, testKeys } from "../support/keys.ts";
import { failNextCommit } from "../support/users.ts";

const relay = "https://relay.example";
const nothingElse = () => undefined;

/** Somebody with a device, so many one-time keys and a fallback key. */
async function withKeys(count: number): Promise<TestKeys & { alice: Somebody; names: string[] }> {
  const home = await testKeys();
  const alice = await home.join("alice");
  const oneTime = await alice.device.oneTimeKeys(count);
  await home.keys.upload(alice, {
    device_keys: alice.device.deviceKeys,
    one_time_keys: oneTime,
    fallback_keys: await alice.device.fallbackKey(),
  });
  return { ...home, alice, names: Object.keys(oneTime) };
}

const given = ({ userId, deviceId }: Somebody, ids: readonly string[]): NamedKey[] =>
  ids.map((keyId) => ({ userId, deviceId, keyId }));

async function claimedHere({ keys }: TestKeys, alice: Somebody): Promise<string[]> {
  const ids: string[] = [];
  for (;;) {
    const claimed = await claimOne(keys, alice);
    if (claimed === undefined || (claimed[1] as { fallback?: true }).fallback) return ids;
    ids.push(claimed[0]);
  }
}

const countOf = async ({ keys }: TestKeys, { userId, deviceId }: Somebody) =>
  (await keys.counts(userId, deviceId)).oneTimeKeys.signed_curve25519;

test("half of what there is is set aside, with the fallback key, and the node gives out the other half", async () => {
  const home = await withKeys(10);
  const { keys, alice, names } = home;
  const deposit = await keys.deposit(alice.userId, relay);
  const there = Object.keys(deposit.oneTimeKeys[alice.deviceId]!);
  expect(there).toHaveLength(5);
  expect(Object.values(deposit.fallbackKeys[alice.deviceId]!)[0]).toMatchObject({ fallback: true });
  expect((await claimedHere(home, alice)).sort()).toEqual(
    names.filter((name) => !there.includes(name)).sort(),
  );
});

test("clients are told that they still have them, and an upload made again adds none", async () => {
  const home = await testKeys();
  const alice = await home.join("alice");
  const upload = {
    device_keys: alice.device.deviceKeys,
    one_time_keys: await alice.device.oneTimeKeys(10),
  };
  await home.keys.upload(alice, upload);
  await home.keys.deposit(alice.userId, relay);
  expect(await countOf(home, alice)).toBe(10);
  expect((await home.keys.upload(alice, upload)).one_time_key_counts).toEqual({ signed_curve25519: 10 });
  expect(await countOf(home, alice)).toBe(10);
});

test("a second deposit names what is new, and at most twenty are at a relay", async () => {
  const { keys, alice } = await withKeys(30);
  const first = await keys.deposit(alice.userId, relay);
  expect(Object.keys(first.oneTimeKeys[alice.deviceId]!)).toHaveLength(15);
  expect((await keys.deposit(alice.userId, relay)).oneTimeKeys).toEqual({});
  await keys.upload(alice, { one_time_keys: await alice.device.oneTimeKeys(30) });
  const second = await keys.deposit(alice.userId, relay);
  expect(Object.keys(second.oneTimeKeys[alice.deviceId]!)).toHaveLength(5);
});

test("taken back: those left are the node's, those given are gone, and so are those that nobody knows of", async () => {
  const home = await withKeys(12);
  const { keys, alice, names } = home;
  const there = Object.keys((await keys.deposit(alice.userId, relay)).oneTimeKeys[alice.deviceId]!);
  const [gone, unknown, ...left] = there;
  await keys.takeBack(relay, { given: given(alice, [gone!]), left: given(alice, left) }, nothingElse);
  expect(await countOf(home, alice)).toBe(10);
  const here = await claimedHere(home, alice);
  expect(here.sort()).toEqual(names.filter((name) => name !== gone && name !== unknown).sort());
});

test("a key that a relay has given out is not taken in again when its client uploads it once more", async () => {
  const home = await testKeys();
  const alice = await home.join("alice");
  const upload = {
    device_keys: alice.device.deviceKeys,
    one_time_keys: await alice.device.oneTimeKeys(4),
  };
  await home.keys.upload(alice, upload);
  await home.keys.deposit(alice.userId, relay);
  await home.keys.takeBack(relay, { given: [], left: [] }, nothingElse);
  expect((await home.keys.upload(alice, upload)).one_time_key_counts).toEqual({ signed_curve25519: 2 });
});

test("the device hears that it has fewer keys, and that its fallback key was used", async () => {
  const home = await withKeys(4);
  const { keys, alice, users } = home;
  const { fallbackKeys } = await keys.deposit(alice.userId, relay);
  const before = users.storage.position;
  const used = Object.keys(fallbackKeys[alice.deviceId]!);
  await keys.takeBack(relay, { given: given(alice, used), left: [] }, nothingElse);
  const entries = await users.storage.entriesAfter(before, 10);
  expect(entries).toMatchObject([{ topic: "deviceList", detail: `claimed/${alice.deviceId}` }]);
  expect((await keys.counts(alice.userId, alice.deviceId)).unusedFallbacks).toEqual([]);
});

test("what another relay has stays with it", async () => {
  const home = await withKeys(8);
  const { keys, alice } = home;
  await keys.deposit(alice.userId, relay);
  const other = await keys.deposit(alice.userId, "https://other.example");
  expect(Object.keys(other.oneTimeKeys[alice.deviceId]!)).toHaveLength(2);
  await keys.takeBack(relay, { given: [], left: [] }, nothingElse);
  expect(await countOf(home, alice)).toBe(4);
});

test("what a relay has refused is the node's again", async () => {
  const home = await withKeys(8);
  const { keys, alice } = home;
  const { oneTimeKeys } = await keys.deposit(alice.userId, relay);
  await keys.withdraw(alice.userId, relay, oneTimeKeys);
  expect(await claimedHere(home, alice)).toHaveLength(8);
});

test("keys at a relay end with their device", async () => {
  const { keys, alice, users } = await withKeys(8);
  const { oneTimeKeys } = await keys.deposit(alice.userId, relay);
  await users.logout(alice);
  const ids = Object.keys(oneTimeKeys[alice.deviceId]!);
  await keys.takeBack(relay, { given: [], left: given(alice, ids) }, nothingElse);
  expect(await users.storage.getAllKeys("oneTimeKeys")).toEqual([]);
  expect(await users.storage.getAllKeys("depositedKeys")).toEqual([]);
});

test("a take-back that the disk does not take has done nothing, nor what goes with it", async () => {
  const home = await withKeys(8);
  const { keys, alice, users } = home;
  await keys.deposit(alice.userId, relay);
  failNextCommit(users.storage);
  const also = (write: Parameters<Parameters<typeof keys.takeBack>[2]>[0]) => write.put("meta", 7, "also");
  await expect(keys.takeBack(relay, { given: [], left: [] }, also)).rejects.toThrow();
  expect(await users.storage.get("meta", "also")).toBeUndefined();
  expect(await countOf(home, alice)).toBe(8);
  await keys.takeBack(relay, { given: [], left: [] }, also);
  expect(await users.storage.get("meta", "also")).toBe(7);
  expect(await countOf(home, alice)).toBe(4);
});

describe("whatever comes after what", () => {
  const step = fc.constantFrom(
    "deposit",
    "arrive",
    "take back",
    "claim here",
    "claim there",
    "upload",
    "restart",
  );

  test("no one-time key is given out twice, here and at the relay together", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 25 }), async (steps) => {
        let home: TestKeys & { alice: Somebody } = await withKeys(6);
        const { alice } = home;
        /** Deposits on their way, which may still arrive after a take-back; what the relay has; what it gave since. */
        const onTheirWay: string[][] = [];
        let there: string[] = [];
        let since: string[] = [];
        const out: string[] = [];
        for (const each of steps) {
          const { keys } = home;
          if (each === "deposit") {
            const { oneTimeKeys } = await keys.deposit(alice.userId, relay);
            onTheirWay.push(Object.keys(oneTimeKeys[alice.deviceId] ?? {}));
          } else if (each === "arrive") {
            there.push(...(onTheirWay.shift() ?? []));
          } else if (each === "take back") {
            await keys.takeBack(
              relay,
              { given: given(alice, since), left: given(alice, there) },
              nothingElse,
            );
            there = [];
            since = [];
          } else if (each === "claim here") {
            const claimed = await claimOne(keys, alice);
            if (claimed !== undefined && !(claimed[1] as { fallback?: true }).fallback) out.push(claimed[0]);
          } else if (each === "claim there") {
            const id = there.shift();
            if (id !== undefined) {
              since.push(id);
              out.push(id);
            }
          } else if (each === "upload") {
            await keys.upload(alice, { one_time_keys: await alice.device.oneTimeKeys(3) });
          } else {
            home = { ...(await home.reopen()), alice };
          }
        }
        expect(out).toHaveLength(new Set(out).size);
      }),
      { numRuns: Math.ceil(inject("propertyRuns") / 4) },
    );
  });
});
