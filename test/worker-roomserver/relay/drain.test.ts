import fc from "fast-check";
import { describe, expect, inject, onTestFinished, test } from "vitest";
import type { Mail } from "../../../src/worker-roomserver/relay/api.ts";
import { drain } from "../../../src/worker-roomserver/relay/drain.ts";
import { StoredInbox } from "../../../src/worker-roomserver/relay/inbox.ts";
import { askRelayOver } from "../../../src/worker-roomserver/relay/relay-client.ts";
import { deleteDatabase } from "../../../src/worker-roomserver/storage/open.ts";
import { openStorage } from "../../../src/worker-roomserver/storage/storage.ts";
import { FakeRelay } from "./support/fake-relay.ts";

type Drained = {
  added: Mail[];
  ended: Promise<unknown>;
  stop: () => void;
};

function draining(relay: FakeRelay, add: (mail: Mail) => Promise<boolean> = async () => true): Drained {
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  const added: Mail[] = [];
  const ended = drain({
    ask: askRelayOver(relay.connect()),
    inbox: {
      add: async (mail) => {
        const result = await add(mail);
        added.push(mail);
        return result;
      },
    },
    onMail: () => undefined,
    now: Date.now,
    pause: () => Promise.resolve(),
    signal: stop.signal,
  }).catch((error: unknown) => error);
  return { added, ended, stop: () => stop.abort() };
}

/** Until something holds that nothing tells of. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((done) => setTimeout(done));
}

const ids = (mail: readonly Mail[]) => mail.map(({ transactionId }) => transactionId);

test("entries are taken in one after the other, and the last of them is acknowledged as well", async () => {
  const relay = new FakeRelay();
  for (const n of ["1", "2", "3"]) relay.receive("a.example", n);
  const { added } = draining(relay);
  await relay.emptied();
  expect(ids(added)).toEqual(["1", "2", "3"]);
  expect(added[0]).toEqual({
    ...{ origin: "a.example", transactionId: "1", method: "PUT", body: "e30" },
    uri: "/_matrix/federation/v1/send/1",
    authorization: ['X-Matrix origin="a.example",key="ed25519:1",sig="1"'],
    receivedAt: 1_700_000_000_000,
  });
});

test("mail that comes while it waits is taken in", async () => {
  const relay = new FakeRelay();
  const { added } = draining(relay);
  relay.receive("a.example", "1");
  await relay.emptied();
  relay.receive("a.example", "2");
  await relay.emptied();
  expect(ids(added)).toEqual(["1", "2"]);
});

test("the next entry is asked for while one is committed, and none is acknowledged before it is", async () => {
  const relay = new FakeRelay();
  for (const n of ["1", "2", "3"]) relay.receive("a.example", n);
  const commits: (() => void)[] = [];
  draining(relay, () => new Promise((resolve) => commits.push(() => resolve(true))));
  await until(() => relay.asked.length === 2 && commits.length === 1);
  expect(relay.asked).toEqual(["GET /mailbox?wait=0", "GET /mailbox?after=1&wait=0"]);
  expect(relay.mailbox).toHaveLength(3);
  commits[0]!();
  await until(() => relay.asked.length === 3 && commits.length === 2);
  expect(relay.asked[2]).toBe("GET /mailbox?acknowledge=1&after=2&wait=0");
  expect(relay.mailbox).toHaveLength(2);
  commits[1]!();
  await until(() => commits.length === 3);
  commits[2]!();
  await relay.emptied();
  expect(relay.asked.at(-1)).toBe("GET /mailbox?acknowledge=3&after=3&wait=25000");
});

test("nothing is acknowledged that the disk does not take, and it comes again", async () => {
  const relay = new FakeRelay();
  for (const n of ["1", "2", "3"]) relay.receive("a.example", n);
  const full = draining(relay, async ({ transactionId }) => {
    if (transactionId === "2") throw new Error("full");
    return true;
  });
  expect(await full.ended).toMatchObject({ message: "full" });
  expect(relay.mailbox.map(({ entry_id }) => entry_id)).toEqual([2, 3]);
  const { added } = draining(relay);
  await relay.emptied();
  expect(ids(added)).toEqual(["2", "3"]);
});

test("what can be no transaction is left out, and does not stand in the way", async () => {
  const relay = new FakeRelay();
  relay.receive("not a server name", "1");
  relay.receive("a.example", "x".repeat(2_000));
  relay.receive("a.example", "3", { body: "~~~" });
  relay.receive("a.example", "4", { authorization: [5] as unknown as string[] });
  relay.receive("a.example", "5");
  const { added } = draining(relay);
  await relay.emptied();
  expect(ids(added)).toEqual(["5"]);
});

test("a relay that has lost its numbers is drained from where it begins anew", async () => {
  const relay = new FakeRelay();
  for (const n of ["1", "2"]) relay.receive("a.example", n);
  const before = draining(relay);
  await relay.emptied();
  before.stop();
  relay.forget();
  relay.receive("a.example", "3");
  const { added } = draining(relay);
  await relay.emptied();
  expect(ids(added)).toEqual(["3"]);
});

test("a relay that gives again what was acknowledged is not followed for ever", async () => {
  const relay = new FakeRelay();
  relay.receive("a.example", "1");
  const [entry] = relay.mailbox;
  const added: Mail[] = [];
  const drained = drain({
    ask: async () => ({ entry: entry!, entries_queued: false }),
    inbox: { add: async (mail) => added.push(mail) > 0 },
    ...{ onMail: () => undefined, now: Date.now, pause: () => Promise.resolve() },
    signal: new AbortController().signal,
  });
  await expect(drained).rejects.toThrow("again");
  expect(added).toHaveLength(1);
});

test("a relay that does not wait for mail is not asked again and again", async () => {
  const pauses: number[] = [];
  const stop = new AbortController();
  await drain({
    ask: async () => ({ entries_queued: false }),
    inbox: { add: () => Promise.reject(new Error("there is none")) },
    ...{ onMail: () => undefined, now: () => 0, signal: stop.signal },
    pause: async (ms) => {
      pauses.push(ms);
      if (pauses.length === 3) stop.abort();
    },
  });
  expect(pauses).toEqual([1_000, 1_000, 1_000]);
});

describe("two relays, and an end at any moment", () => {
  const origin = fc.constantFrom("a.example", "b.example");
  const step = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant("deliver" as const),
        origin,
        to: fc.integer({ min: 1, max: 3 }),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ do: fc.constant("work" as const), turns: fc.integer({ min: 0, max: 12 }) }),
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constant("take" as const) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("crash" as const) }) },
    {
      weight: 1,
      arbitrary: fc.record({ do: fc.constant("cut" as const), relay: fc.integer({ min: 0, max: 1 }) }),
    },
  );

  test("nothing is lost, and nothing has its effect twice", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 25 }), async (steps) => {
        const name = `test-${crypto.randomUUID()}`;
        const relays = [new FakeRelay("https://one.example"), new FakeRelay("https://two.example")];
        const delivered = new Set<string>();
        let leader = await lead(name, relays);
        for (const [n, each] of steps.entries()) {
          if (each.do === "deliver") {
            delivered.add(`${each.origin} ${n}`);
            relays.forEach((relay, i) => {
              if (each.to & (1 << i)) relay.receive(each.origin, String(n));
            });
          } else if (each.do === "work") {
            for (let turn = 0; turn < each.turns; turn++) await new Promise((done) => setTimeout(done));
          } else if (each.do === "take") {
            await leader.take();
          } else if (each.do === "cut") {
            leader.reconnect(each.relay);
          } else {
            leader.crash();
            leader = await lead(name, relays);
          }
        }
        leader.crash();
        leader = await lead(name, relays);
        await leader.finish();
        const effects = await leader.effects();
        leader.crash();
        await deleteDatabase(name);
        expect(effects.sort()).toEqual([...delivered].sort());
      }),
      // Each opens several databases.
      { numRuns: Math.ceil(inject("roomRuns") / 5) },
    );
  });
});

/** A leader that drains two relays, and takes mail out: the effect is an entry of the log, in one unit with its end. */
async function lead(name: string, relays: readonly FakeRelay[]) {
  const storage = await openStorage({ name, onStopped: () => undefined });
  const inbox = new StoredInbox(storage, () => 1_000);
  const links = relays.map(() => new AbortController());
  const connect = (i: number) => {
    const link = relays[i]!.connect();
    const end = new AbortController();
    links[i] = end;
    end.signal.addEventListener("abort", () => link.cut());
    drain({
      ...{ ask: askRelayOver(link), inbox, onMail: () => undefined, signal: end.signal, now: Date.now },
      pause: () => Promise.resolve(),
    }).catch(() => undefined); // it was cut
  };
  relays.forEach((_, i) => {
    connect(i);
  });
  const take = async () => {
    const mail = await inbox.next(0);
    if (mail === undefined) return false;
    const end = await inbox.ending(mail, "taken");
    await storage.commit((write) => {
      end(write);
      write.append({ topic: "media", detail: `${mail.origin} ${mail.transactionId}` });
    });
    return true;
  };
  return {
    take,
    reconnect: (i: number) => {
      links[i]!.abort();
      connect(i);
    },
    crash: () => {
      for (const link of links) link.abort();
      storage.close();
    },
    finish: async () => {
      while (relays.some(({ mailbox }) => mailbox.length > 0)) await new Promise((done) => setTimeout(done));
      while (await take());
    },
    effects: async () => {
      const entries = (await storage.entriesAfter(0, 100_000)) ?? [];
      return entries.filter(({ topic }) => topic === "media").map(({ detail }) => detail);
    },
  };
}
