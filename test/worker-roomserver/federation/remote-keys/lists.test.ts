import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { nobleEd25519 } from "../../../../src/matrix/ed25519-noble.ts";
import type { JsonObject } from "../../../../src/matrix/json.ts";
import { RemoteLists } from "../../../../src/worker-roomserver/federation/remote-keys/lists.ts";
import type { ReadKeys } from "../../../../src/worker-roomserver/federation/remote-keys/read-keys.ts";
import type { RemoteDeviceRow } from "../../../../src/worker-roomserver/storage/schema.ts";
import { crossSigner, missigned } from "../../support/crypto-device.ts";
import { logAfter, type TestStorage, testStorage } from "../../support/storage.ts";

const bob = "@bob:far";
const DEVICES = ["A", "B", "C"];

const keysOf = (deviceId: string, n: number): JsonObject => ({
  user_id: bob,
  device_id: deviceId,
  keys: { [`ed25519:${deviceId}`]: `key ${n}` },
});
const rowOf = (deviceId: string, n: number): RemoteDeviceRow => [JSON.stringify(keysOf(deviceId, n)), ""];

function listsOver(storage: TestStorage, isShared = async () => true) {
  const lists = new RemoteLists({
    storage,
    ed25519: nobleEd25519(),
    isShared,
    keys: {
      tellChanged: (write, user, { what }) => {
        write.append({ topic: "deviceList", user, detail: what });
      },
    },
  });
  const renew = async (keys: ReadKeys & { streamId?: number }) => {
    const { asked, end } = lists.asking(bob);
    const kept = await lists.keep(bob, keys, asked);
    end();
    return kept;
  };
  return { lists, renew };
}

/** Changes of bob's devices at his server, one after the other: what it sends, and what it knows after each. */
function historyOf(changes: readonly { device: string; isGone: boolean }[]) {
  const devices = new Map<string, RemoteDeviceRow>();
  const states = [{ devices: new Map(devices), streamId: 1 }];
  const updates = changes.map(({ device: deviceId, isGone }, i) => {
    const streamId = 10 * (i + 1);
    const previous = [i === 0 ? 1 : 10 * i];
    if (isGone) devices.delete(deviceId);
    else devices.set(deviceId, rowOf(deviceId, streamId));
    states.push({ devices: new Map(devices), streamId });
    const device = isGone ? ("deleted" as const) : { keys: keysOf(deviceId, streamId), displayName: "" };
    return { deviceId, streamId, previous, device };
  });
  return { states, updates };
}

const change = fc.record({ device: fc.constantFrom(...DEVICES), isGone: fc.boolean() });

describe("updates of a list of devices", () => {
  test("in their order are taken in, each once, without asking", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(change, { maxLength: 8 }), async (changes) => {
        const storage = await testStorage();
        const { lists, renew } = listsOver(storage);
        const { states, updates } = historyOf(changes);
        await renew(states[0]!);
        for (const [i, update] of updates.entries()) {
          await lists.deviceUpdated(bob, update);
          await lists.deviceUpdated(bob, update);
          expect((await lists.known(bob))?.devices).toEqual(states[i + 1]!.devices);
        }
        expect(await logAfter(storage)).toHaveLength(changes.length);
      }),
      { numRuns: 15 },
    );
  });

  test("in whatever order, however often, with answers between and restarts, end in the last state or in asking", async () => {
    const step = fc.record({ turn: fc.nat({ max: 5 }), again: fc.boolean(), between: fc.nat({ max: 5 }) });
    await fc.assert(
      fc.asyncProperty(
        fc.array(change, { minLength: 1, maxLength: 8 }),
        fc.array(step, { minLength: 8, maxLength: 8 }),
        async (changes, steps) => {
          const storage = await testStorage();
          let { lists, renew } = listsOver(storage);
          const { states, updates } = historyOf(changes);
          await renew(states[0]!);
          const left = [...updates];
          let newest = 0;
          for (const { turn, again, between } of steps) {
            const [update] = left.splice(turn % Math.max(1, left.length), 1);
            if (update === undefined) break;
            newest = Math.max(newest, update.streamId / 10);
            await lists.deviceUpdated(bob, update);
            if (again) await lists.deviceUpdated(bob, update);
            if (between === 0) ({ lists, renew } = listsOver(storage));
            // Whatever it says, its server knows what it has sent.
            if (between === 1) await renew(states[newest]!);
          }
          const last = states.at(-1)!;
          const known = await lists.known(bob);
          if (known !== undefined) expect(known.devices).toEqual(last.devices);
          await renew(last);
          expect((await lists.known(bob))?.devices).toEqual(last.devices);
        },
      ),
      { numRuns: 60 },
    );
  });

  test("that come while their server is asked make its answer an old one", async () => {
    const { lists, renew } = listsOver(await testStorage());
    const { states, updates } = historyOf([{ device: "A", isGone: false }]);
    const { asked, end } = lists.asking(bob);
    await lists.deviceUpdated(bob, updates[0]!);
    expect(await lists.keep(bob, states[0]!, asked)).toBe(false);
    end();
    expect(await lists.known(bob)).toBeUndefined();
    expect(await renew(states[1]!)).toBe(true);
    expect((await lists.known(bob))?.devices).toEqual(states[1]!.devices);
  });

  test("with keys of somebody else take in nothing but their place", async () => {
    const { lists, renew } = listsOver(await testStorage());
    await renew({ devices: new Map(), streamId: 1 });
    const keys = { ...keysOf("A", 1), user_id: "@alice:here" };
    const wrong = { deviceId: "A", streamId: 2, previous: [1], device: { keys, displayName: "" } };
    await lists.deviceUpdated(bob, wrong);
    expect((await lists.known(bob))?.devices.size).toBe(0);
    const right = {
      ...wrong,
      streamId: 3,
      previous: [2],
      device: { keys: keysOf("A", 2), displayName: "Phone" },
    };
    await lists.deviceUpdated(bob, right);
    expect((await lists.known(bob))?.devices.get("A")).toEqual([JSON.stringify(keysOf("A", 2)), "Phone"]);
  });

  test("are told, but nothing is kept, where nothing was known", async () => {
    const storage = await testStorage();
    const { lists } = listsOver(storage);
    await lists.deviceUpdated(bob, historyOf([{ device: "A", isGone: false }]).updates[0]!);
    expect(await storage.getAllKeys("remoteDeviceLists")).toEqual([]);
    expect(await logAfter(storage)).toHaveLength(1);
  });
});

describe("what a server has answered", () => {
  test("is not kept of who shares no room any more", async () => {
    const storage = await testStorage();
    const { renew } = listsOver(storage, async () => false);
    await renew({ devices: new Map([["A", rowOf("A", 1)]]), streamId: 1 });
    expect(await storage.getAllKeys("remoteDevices")).toEqual([]);
    expect(await storage.getAllKeys("remoteDeviceLists")).toEqual([]);
  });

  test("without a place among the updates takes the place of nothing that has one", async () => {
    const storage = await testStorage();
    const { lists, renew } = listsOver(storage);
    await renew({ devices: new Map([["A", rowOf("A", 1)]]), streamId: 1 });
    await renew({ devices: new Map() });
    expect((await lists.known(bob))?.devices.size).toBe(1);
    expect((await storage.get("remoteDeviceLists", bob))?.streamId).toBe(1);
  });

  test("anew is told where it is another, and not where it is the same", async () => {
    const storage = await testStorage();
    const { renew } = listsOver(storage);
    const devices = new Map([["A", rowOf("A", 1)]]);
    await renew({ devices, streamId: 1 });
    await renew({ devices, streamId: 2 });
    expect(await logAfter(storage)).toEqual([]);
    await renew({ devices: new Map(), streamId: 3 });
    expect(await logAfter(storage)).toHaveLength(1);
  });
});

describe("cross-signing keys", () => {
  test("are taken in where the master key has signed the other, and told when they are others", async () => {
    const storage = await testStorage();
    const { lists, renew } = listsOver(storage);
    await renew({ devices: new Map(), streamId: 1 });
    const [first, second] = [await crossSigner(bob), await crossSigner(bob)];
    const master = first.body.master_key;
    const known = async () => {
      const { master: m, selfSigning: s } = (await lists.known(bob))!;
      return [m && JSON.parse(m), s && JSON.parse(s)];
    };
    const wrong = missigned(first.body.self_signing_key, bob);
    await lists.crossSigningUpdated(bob, { master, selfSigning: wrong });
    expect(await known()).toEqual([master, undefined]);
    await lists.crossSigningUpdated(bob, { master: undefined, selfSigning: first.body.self_signing_key });
    expect(await known()).toEqual([master, first.body.self_signing_key]);
    await lists.crossSigningUpdated(bob, { master, selfSigning: first.body.self_signing_key });
    expect(await logAfter(storage)).toHaveLength(2);
    // Another master key ends what the one before has signed.
    await lists.crossSigningUpdated(bob, {
      master: second.body.master_key,
      selfSigning: first.body.self_signing_key,
    });
    expect(await known()).toEqual([second.body.master_key, undefined]);
    await lists.crossSigningUpdated(bob, { master: { user_id: bob }, selfSigning: 7 });
    expect(await known()).toEqual([second.body.master_key, undefined]);
    expect(await logAfter(storage)).toHaveLength(3);
  });
});
