import fc from "fast-check";
import { describe, expect, inject, test } from "vitest";
import type { JsonObject } from "../../../src/matrix/json.ts";
import { limit, type SyncAnswer, type TestSync, testSync, texts } from "./support/sync.ts";

const LONG = 3_600_000;

/** A message of bob's for devices of alice's. */
function send(
  t: TestSync,
  n: number,
  device = "alice-D",
  txnId: string = crypto.randomUUID(),
): Promise<void> {
  const messages = { [t.id("alice")]: { [device]: { n } } };
  return t.toDevice.send(t.user("bob"), { eventType: "org.example", txnId, messages });
}

async function sendAll(t: TestSync, from: number, to: number): Promise<void> {
  // One after the other in the log, as each is filled in turn.
  await Promise.all(Array.from({ length: to - from }, (_, i) => send(t, from + i)));
}

const numbers = (answer: SyncAnswer) =>
  answer.to_device.events.map(({ content }) => (content as JsonObject).n as number);

const upTo = (n: number, from = 0) => Array.from({ length: n - from }, (_, i) => from + i);

describe("messages to a device", () => {
  test("come with the next answer, again with the same token, and not with the token after", async () => {
    const t = await testSync();
    const { next_batch: first } = await t.poll("alice");
    await send(t, 1);
    await send(t, 2);
    const answer = await t.poll("alice", { since: first });
    expect(answer.to_device.events).toEqual([
      { type: "org.example", sender: t.id("bob"), content: { n: 1 } },
      { type: "org.example", sender: t.id("bob"), content: { n: 2 } },
    ]);
    expect((await t.poll("alice", { since: first })).to_device).toEqual(answer.to_device);
    expect(numbers(await t.poll("alice", { since: answer.next_batch }))).toEqual([]);
    await t.storage.flushed();
    expect(await t.storage.getAll("toDevice")).toEqual([]);
  });

  test("of a first sync are all that wait, until the client comes back", async () => {
    const t = await testSync();
    await send(t, 1);
    const answer = await t.poll("alice");
    expect(numbers(answer)).toEqual([1]);
    expect(numbers(await t.poll("alice"))).toEqual([1]);
    await t.poll("alice", { since: answer.next_batch });
    expect(numbers(await t.poll("alice"))).toEqual([]);
  });

  test("are for that device alone", async () => {
    const t = await testSync();
    await send(t, 1, "alice-D");
    await send(t, 2, "*");
    expect(numbers(await t.poll("alice", { device: "D" }))).toEqual([1, 2]);
    expect(numbers(await t.poll("alice", { device: "E" }))).toEqual([2]);
    expect(numbers(await t.poll("bob"))).toEqual([]);
  });

  test("come a hundred at a time, the rest at once, and nothing else waits for them", async () => {
    const t = await testSync();
    const roomId = await t.create("alice");
    const { next_batch } = await t.poll("alice");
    await sendAll(t, 0, 230);
    await t.say("alice", roomId, "after them");
    const first = await t.poll("alice", { since: next_batch, timeout: LONG });
    expect(numbers(first)).toEqual(upTo(100));
    expect(texts(first.rooms.join[roomId]!.timeline)).toEqual(["after them"]);
    const second = await t.poll("alice", { since: first.next_batch, timeout: LONG });
    expect(numbers(second)).toEqual(upTo(200, 100));
    expect(second.rooms.join).toEqual({});
    expect(numbers(await t.poll("alice", { since: first.next_batch }))).toEqual(upTo(200, 100));
    const third = await t.poll("alice", { since: second.next_batch, timeout: LONG });
    expect(numbers(third)).toEqual(upTo(230, 200));
    // Nothing is left behind: the token is a plain one again.
    expect(third.next_batch).toMatch(/^h\d+$/);
    await t.poll("alice", { since: third.next_batch });
    await t.storage.flushed();
    expect(await t.storage.getAllKeys("toDevice")).toEqual([]);
  });

  test("with exactly a hundred of them nothing is left", async () => {
    const t = await testSync();
    const { next_batch } = await t.poll("alice");
    await sendAll(t, 0, 100);
    const answer = await t.poll("alice", { since: next_batch });
    expect(numbers(answer)).toEqual(upTo(100));
    expect(answer.next_batch).toMatch(/^h\d+$/);
  });

  test("a token that tells of messages left serves as a place in a timeline", async () => {
    const t = await testSync();
    const roomId = await t.create("alice");
    await t.say("alice", roomId, "before");
    await sendAll(t, 0, 101);
    const { next_batch } = await t.poll("alice");
    expect(next_batch).toContain("_");
    await t.say("alice", roomId, "later");
    const page = await t.rooms.messages(t.user("alice"), roomId, {
      dir: "f",
      from: next_batch,
      limit: 10,
      filter: {},
    });
    expect(new TextDecoder().decode(page)).toContain("later");
    expect(new TextDecoder().decode(page)).not.toContain("before");
  });

  test.each(["h5_9", "h5_", "h5_-1", "h5_1_1", "_1", "h5_1.5"])("%s is no token", async (since) => {
    const t = await testSync();
    await sendAll(t, 0, 10);
    await expect(t.poll("alice", { since })).rejects.toMatchObject({
      errcode: "M_INVALID_PARAM",
      status: 400,
    });
    expect(numbers(await t.poll("alice"))).toEqual(upTo(10));
  });

  test("wake the device that they are for, and no other", async () => {
    const t = await testSync();
    const { next_batch: since } = await t.poll("alice");
    let others = 0;
    const name = crypto.randomUUID();
    const other = t.poll("alice", { device: "E", since, timeout: LONG }, name).then((answer) => {
      others += 1;
      return answer;
    });
    const waiting = t.poll("alice", { device: "D", since, timeout: LONG });
    await t.poll("nobody");
    await send(t, 1, "alice-D");
    expect(numbers(await waiting)).toEqual([1]);
    for (let i = 0; i < 3; i++) await t.poll("nobody");
    expect(others).toBe(0);
    await t.sync.cancel(name);
    expect(numbers(await other)).toEqual([]);
  });

  test("survive a log that does not reach back to the token", async () => {
    const t = await testSync();
    const { next_batch: since } = await t.poll("alice");
    await send(t, 1);
    for (let i = 0; i < 8; i++) {
      const entries = Array.from({ length: 1_500 }, () => ({ topic: "media" }) as const);
      await t.storage.commit((write) => {
        for (const entry of entries) write.append(entry);
      });
      await t.storage.flushed();
    }
    while (await t.storage.trimLog(t.storage.position - 1_000));
    expect(await t.storage.entriesAfter(0, 1)).toBeUndefined();
    expect(numbers(await t.poll("alice", { since }))).toEqual([1]);
  });
});

type Step =
  | { do: "send"; count: number; device: string }
  | { do: "repeat" | "other news" | "crash" }
  | { do: "sync" | "sync, unanswered" | "sync while sending"; device: "D" | "E" };

const device = fc.constantFrom("D", "E");
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("send"),
      count: fc.constantFrom(1, 1, 1, 3, 60, 130),
      device: fc.constantFrom("alice-D", "alice-E", "*"),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom("repeat", "other news", "crash") }) },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constantFrom("sync", "sync, unanswered", "sync while sending"), device }),
  },
) as fc.Arbitrary<Step>;

/** A device that only moves its token when it has an answer. */
type Client = { since: string | undefined; got: number[]; wanted: number[] };

test("each device gets each message once and in order, whatever is lost, repeated, or dies in between", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      let t = await testSync();
      const { name } = t.storage;
      const clients: Record<"D" | "E", Client> = {
        D: { since: undefined, got: [], wanted: [] },
        E: { since: undefined, got: [], wanted: [] },
      };
      let sent = 0;
      let last: [n: number, to: string, txnId: string] | undefined;

      const sendTo = async (count: number, to: string) => {
        const sending: Promise<void>[] = [];
        for (let i = 0; i < count; i++) {
          last = [sent++, to, crypto.randomUUID()];
          if (to !== "alice-E") clients.D.wanted.push(last[0]);
          if (to !== "alice-D") clients.E.wanted.push(last[0]);
          sending.push(send(t, ...last));
        }
        await Promise.all(sending);
      };
      const sync = async (which: "D" | "E", isAnswered = true) => {
        const client = clients[which];
        const answer = await t.poll("alice", {
          device: which,
          filter: limit(1),
          ...(client.since !== undefined && { since: client.since }),
        });
        if (!isAnswered) return answer;
        client.since = answer.next_batch;
        client.got.push(...numbers(answer));
        return answer;
      };

      for (const taken of steps) {
        if (taken.do === "send") await sendTo(taken.count, taken.device);
        else if (taken.do === "repeat") await (last && send(t, ...last));
        else if (taken.do === "other news") await t.accountData.set(t.id("alice"), null, "a", { sent });
        else if (taken.do === "crash") t = await testSync(name);
        else if (taken.do === "sync") await sync(taken.device);
        else if (taken.do === "sync, unanswered") await sync(taken.device, false);
        else if (taken.do === "sync while sending") {
          await Promise.all([sendTo(2, "*"), sync(taken.device), sendTo(1, "*")]);
        }
      }
      for (const which of ["D", "E"] as const) {
        while (numbers(await sync(which)).length > 0);
        expect(clients[which].got).toEqual(clients[which].wanted);
      }
      // Everything has been handed over, so nothing is kept.
      await t.storage.flushed();
      expect(await t.storage.getAllKeys("toDevice")).toEqual([]);
    }),
    { numRuns: Math.ceil(inject("propertyRuns") / 4) },
  );
});
