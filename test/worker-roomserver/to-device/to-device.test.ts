import { describe, expect, test, vi } from "vitest";
import { parseServerName } from "../../../src/matrix/identifiers.ts";
import type { JsonObject } from "../../../src/matrix/json.ts";
import type { Requester } from "../../../src/worker-roomserver/node/requester.ts";
import { Transactions } from "../../../src/worker-roomserver/room/transactions.ts";
import type { MessagesByUser } from "../../../src/worker-roomserver/to-device/api.ts";
import { MAX_QUEUE_WEIGHT, weightOf } from "../../../src/worker-roomserver/to-device/bounds.ts";
import { openToDevice } from "../../../src/worker-roomserver/to-device/open.ts";
import { dropOldReceived } from "../../../src/worker-roomserver/to-device/received.ts";
import { refusal, requester } from "../support/requester.ts";
import { failUnit } from "../support/rounds.ts";
import { logAfter, type TestStorage, testStorage } from "../support/storage.ts";

const alice = requester("alice");
const bob = requester("bob");

type TestToDevice = ReturnType<typeof openToDevice> & {
  storage: TestStorage;
  /** Who has which devices. */
  devices: Map<string, string[]>;
  /** What waits for a device. */
  waiting: (device: string, userId?: string) => Promise<JsonObject[]>;
  put: (messages: MessagesByUser, txnId?: string, eventType?: string, who?: Requester) => Promise<void>;
};

async function open(name?: string): Promise<TestToDevice> {
  const storage = await testStorage(name);
  const devices = new Map([
    [alice.userId as string, ["PHONE", "LAPTOP", "constructor"]],
    [bob.userId as string, ["D"]],
  ]);
  const toDevice = openToDevice({
    storage,
    transactions: new Transactions(storage, Date.now),
    users: { deviceIds: async (userId) => devices.get(userId) ?? [] },
    serverName: parseServerName("h"),
    now: Date.now,
  });
  return Object.assign(toDevice, {
    storage,
    devices,
    waiting: async (device: string, userId: string = alice.userId) => {
      const all = { after: 0, upTo: storage.position, limit: 1000 };
      return (await toDevice.messages(userId, device, all)).messages.map(({ event }) => event);
    },
    put: (messages: MessagesByUser, txnId = "t", eventType = "org.example", who = bob) =>
      toDevice.send(who, { eventType, txnId, messages }),
  });
}

const event = (content: JsonObject) => ({ type: "org.example", sender: bob.userId, content });

describe("what another server has sent", () => {
  const sent = (more: object = {}) => ({
    ...{ sender: "@x:far", type: "org.example", messageId: "m1" },
    messages: { [alice.userId]: { PHONE: { n: 1 } } },
    ...more,
  });
  const event = { type: "org.example", sender: "@x:far", content: { n: 1 } };

  test("waits for its devices, once, however often it comes, and over restarts", async () => {
    const t = await open();
    await Promise.all([t.receive("far", sent()), t.receive("far", sent())]);
    await t.receive("far", sent());
    expect(await t.waiting("PHONE")).toEqual([event]);
    const again = await open(t.storage.name);
    await again.receive("far", sent());
    expect(await again.waiting("PHONE")).toEqual([event]);
    // Another server may use the same name, and the same server another.
    await again.receive("wide", sent());
    await again.receive("far", sent({ messageId: "m2" }));
    expect(await again.waiting("PHONE")).toHaveLength(3);
  });

  test("for users elsewhere is passed over, and what reached nobody is not remembered", async () => {
    const t = await open();
    const messages = { "@z:wide": { A: {} }, "no user": { A: {} }, "@nobody:h": { "*": {} } };
    await t.receive("far", sent({ messages }));
    expect(await t.storage.getAllKeys("toDeviceOutbox")).toEqual([]);
    expect(await t.storage.getAllKeys("toDeviceReceived")).toEqual([]);
    await t.receive("far", sent());
    expect(await t.waiting("PHONE")).toEqual([event]);
  });

  test("is refused where it is too large, and none of it is stored", async () => {
    const t = await open();
    const messages = { [alice.userId]: { PHONE: { n: 1 }, LAPTOP: { n: "x".repeat(70_000) } } };
    expect(await refusal(t.receive("far", sent({ messages })))).toMatchObject({ errcode: "M_TOO_LARGE" });
    expect(await t.waiting("PHONE")).toEqual([]);
  });

  test("is forgotten after a week", async () => {
    const t = await open();
    await t.receive("far", sent());
    for await (const _ of dropOldReceived(t.storage, () => Date.now() + 6 * 86_400_000)) void _;
    expect(await t.storage.getAllKeys("toDeviceReceived")).toEqual([["far", "m1"]]);
    for await (const _ of dropOldReceived(t.storage, () => Date.now() + 8 * 86_400_000)) void _;
    expect(await t.storage.getAllKeys("toDeviceReceived")).toEqual([]);
  });
});

describe("what goes to another server", () => {
  test("is cut into pieces of some 64 KiB, which keep their order and what belongs together", async () => {
    const t = await open();
    const content = (n: number) => ({ n, text: "x".repeat(20_000) });
    const devices = Object.fromEntries(["A", "B", "C", "D"].map((device, n) => [device, content(n)]));
    await t.put({
      "@x:far": devices,
      "@y:far": { "*": content(4), A: content(5), B: content(6), C: content(7) },
    });
    const waiting = await t.waitingFor("far", 0, 10);
    expect(waiting.map(({ content: { messages } }) => messages)).toEqual([
      { "@x:far": { A: content(0), B: content(1), C: content(2) } },
      { "@x:far": { D: content(3) } },
      { "@y:far": { "*": content(4), A: content(5), B: content(6), C: content(7) } },
    ]);
    expect(new Set(waiting.map(({ content: { message_id } }) => message_id)).size).toBe(3);
    const [first, second] = waiting;
    expect((await t.waitingFor("far", first!.position, 1)).map(({ position }) => position)).toEqual([
      second!.position,
    ]);
    await t.storage.commit((write) => t.sent(write, "far", second!.position));
    expect(await t.waitingFor("far", 0, 10)).toEqual(waiting.slice(2));
  });

  test("is bounded for all servers together", async () => {
    const t = await open();
    const contents = Array.from({ length: 700 }, (_, n) => [`D${n}`, { text: "x".repeat(50_000) }]);
    expect(await refusal(t.put({ "@x:far": Object.fromEntries(contents) }))).toMatchObject({ status: 413 });
    expect(await t.storage.getAllKeys("toDeviceOutbox")).toEqual([]);
  });

  test("never fills the disk for a server that does not come back: the oldest goes", async () => {
    const t = await open();
    await t.storage.commit((write) => {
      for (let n = 1; n <= 10_100; n++) {
        const row = { type: "t", sender: bob.userId, messageId: `${n}`, json: "{}" };
        write.put("toDeviceOutbox", row, ["far", n]);
      }
      for (let n = 1; n <= 10_200; n++) write.append({ topic: "media" });
    });
    for (let n = 0; n < 500; n++) await t.put({ "@x:far": { A: { n } } }, `${n}`);
    const left = await t.waitingFor("far", 0, 20_000);
    expect(left).toHaveLength(10_000);
    expect(left.at(-1)!.content.messages).toEqual({ "@x:far": { A: { n: 499 } } });
  });
});

describe("who gets a message", () => {
  test("the devices that are named, all under *, and the named one what is for it", async () => {
    const t = await open();
    await t.put({ [alice.userId]: { "*": { n: 1 }, PHONE: { n: 2 } } });
    expect(await t.waiting("PHONE")).toEqual([event({ n: 2 })]);
    expect(await t.waiting("LAPTOP")).toEqual([event({ n: 1 })]);
    expect(await t.waiting("constructor")).toEqual([event({ n: 1 })]);
  });

  test("nobody who is not there", async () => {
    const t = await open();
    await t.put({ [alice.userId]: { GONE: {} }, "@nobody:h": { "*": {} }, "@x:h": {} });
    expect(await t.storage.getAllKeys("toDevice")).toEqual([]);
    expect(await logAfter(t.storage)).toEqual([]);
  });

  test("another server, in its outbox, in order and once", async () => {
    const t = await open();
    const far = { "@x:far": { "*": { n: 1 } }, "@y:far": { A: { n: 2 } } };
    await t.put({ ...far, "@z:wide": { B: {} }, [alice.userId]: { PHONE: {} } }, "1");
    await t.put({ "@x:far": { A: { n: 3 } } }, "2");
    await t.put({ "@x:far": { A: { n: 3 } } }, "2");
    expect(await t.storage.getAllKeys("toDeviceOutbox")).toEqual([
      ["far", 2],
      ["far", 4],
      ["wide", 3],
    ]);
    const [first, second] = await t.storage.getAll("toDeviceOutbox");
    expect(first).toMatchObject({ type: "org.example", sender: bob.userId });
    expect(JSON.parse(first!.json)).toEqual(far);
    expect(JSON.parse(second!.json)).toEqual({ "@x:far": { A: { n: 3 } } });
    expect(first!.messageId).toMatch(/^.{1,32}$/);
    expect(second!.messageId).not.toBe(first!.messageId);
    const entries = (await logAfter(t.storage)).map(({ topic, user, detail }) => [topic, user > 0, detail]);
    expect(entries).toEqual([
      ["toDevice", true, "PHONE"],
      ["toDevice", false, "far"],
      ["toDevice", false, "wide"],
      ["toDevice", false, "far"],
    ]);
  });
});

describe("a transaction", () => {
  test("is carried out once, also by the next leader and when it comes twice at once", async () => {
    const t = await open();
    await Promise.all([1, 2, 3].map((n) => t.put({ [alice.userId]: { PHONE: { n } } }, "same")));
    const next = await open(t.storage.name);
    await next.put({ [alice.userId]: { PHONE: { n: 4 } } }, "same");
    expect(await next.waiting("PHONE")).toEqual([event({ n: 1 })]);
  });

  test.each<[what: string, put: (t: TestToDevice, messages: MessagesByUser) => Promise<void>]>([
    ["another id", (t, messages) => t.put(messages, "2")],
    ["another type", (t, messages) => t.put(messages, "1", "org.other")],
    ["another split of type and id", (t, messages) => t.put(messages, "a/1", "org")],
    ["another device", (t, messages) => t.put(messages, "1", "org.example", { ...bob, deviceId: "E" })],
    ["another user", (t, messages) => t.put(messages, "1", "org.example", alice)],
  ])("of %s is another", async (_, put) => {
    const t = await open();
    await t.put({ [alice.userId]: { PHONE: {} } }, "1");
    await t.put({ [alice.userId]: { PHONE: {} } }, "1", "org/a");
    await put(t, { [alice.userId]: { PHONE: { other: true } } });
    expect((await t.waiting("PHONE")).map(({ content }) => content)).toEqual([{}, {}, { other: true }]);
  });

  test("that the disk refused may be sent again", async () => {
    const t = await open();
    const commit = t.storage.commit.bind(t.storage);
    vi.spyOn(t.storage, "commit").mockImplementationOnce((fill, options) =>
      commit((write) => {
        const filled = fill(write);
        failUnit(write);
        return filled;
      }, options),
    );
    await expect(t.put({ [alice.userId]: { PHONE: {} }, "@x:far": { A: {} } })).rejects.toThrow();
    expect(await t.waiting("PHONE")).toEqual([]);
    expect(await t.storage.getAllKeys("toDeviceOutbox")).toEqual([]);
    await t.put({ [alice.userId]: { PHONE: {} } });
    expect(await t.waiting("PHONE")).toHaveLength(1);
  });
});

describe("what is refused, and leaves nothing", () => {
  const tooLarge = { errcode: "M_TOO_LARGE", status: 413 };
  const invalid = { errcode: "M_INVALID_PARAM", status: 400 };
  const body = (bytes: number) => ({ a: "x".repeat(bytes - '{"a":""}'.length) });

  test("more than an event may have, for one device here or elsewhere", async () => {
    const t = await open();
    const [fits, not] = [body(65_535), body(65_536)];
    await t.put({ [alice.userId]: { PHONE: fits } }, "1");
    expect(await refusal(t.put({ [alice.userId]: { PHONE: not, LAPTOP: {} } }, "2"))).toEqual(tooLarge);
    expect(await refusal(t.put({ "@x:far": { PHONE: not }, [alice.userId]: { LAPTOP: {} } }, "3"))).toEqual(
      tooLarge,
    );
    expect(await t.waiting("PHONE")).toHaveLength(1);
    expect(await t.waiting("LAPTOP")).toEqual([]);
  });

  test("more than 32 MiB for all devices together", async () => {
    const t = await open();
    t.devices.set(
      alice.userId,
      Array.from({ length: 600 }, (_, i) => `D${i}`),
    );
    expect(await refusal(t.put({ [alice.userId]: { "*": body(60_000) } }, "1"))).toEqual(tooLarge);
    expect(await t.storage.getAllKeys("toDevice")).toEqual([]);
  });

  test("what is no user, and a type that is too long or empty", async () => {
    const t = await open();
    const message = { [alice.userId]: { PHONE: {} } };
    expect(await refusal(t.put({ ...message, alice: { PHONE: {} } }))).toEqual(invalid);
    expect(await refusal(t.put(message, "1", "x".repeat(256)))).toEqual(invalid);
    expect(await refusal(t.put(message, "1", ""))).toEqual(invalid);
    expect(await t.waiting("PHONE")).toEqual([]);
    await t.put(message, "1", "x".repeat(255));
    expect(await t.waiting("PHONE")).toHaveLength(1);
  });
});

describe("a page", () => {
  async function filled(): Promise<TestToDevice> {
    const t = await open();
    for (let n = 1; n <= 5; n++) await t.put({ [alice.userId]: { PHONE: { n } } }, String(n));
    return t;
  }

  test.each([
    [{ after: 0, upTo: 5, limit: 2 }, [1, 2], 2],
    [{ after: 2, upTo: 5, limit: 3 }, [3, 4, 5], 5],
    [{ after: 2, upTo: 4, limit: 9 }, [3, 4], 4],
    [{ after: 2, upTo: 4, limit: 1 }, [3], 3],
    [{ after: 5, upTo: 5, limit: 9 }, [], 5],
    [{ after: 1, upTo: 5, limit: 0 }, [], 1],
  ])("of %j", async (page, positions, upTo) => {
    const t = await filled();
    const got = await t.messages(alice.userId, "PHONE", page);
    expect(got.messages.map(({ position }) => position)).toEqual(positions);
    expect(got.upTo).toBe(upTo);
  });

  test("has nothing that was delivered, at once and after the next checkpoint", async () => {
    const t = await filled();
    const all = { after: 0, upTo: 5, limit: 9 };
    await t.messages(alice.userId, "PHONE", all);
    t.delivered(alice.userId, "PHONE", 2);
    t.delivered(alice.userId, "PHONE", 1);
    expect((await t.messages(alice.userId, "PHONE", all)).messages).toHaveLength(3);
    await t.storage.flushed();
    expect((await t.storage.getAllKeys("toDevice")).map((key) => key[2])).toEqual([3, 4, 5]);
    t.delivered(alice.userId, "PHONE", 5);
    await t.storage.flushed();
    expect(await t.storage.getAllKeys("toDevice")).toEqual([]);
  });

  test("that an earlier leader handed out is removed by the next", async () => {
    const t = await filled();
    const next = await open(t.storage.name);
    next.delivered(alice.userId, "PHONE", 4);
    await next.storage.flushed();
    expect((await next.storage.getAllKeys("toDevice")).map((key) => key[2])).toEqual([5]);
  });

  test("costs no write where nothing was handed out since", async () => {
    const t = await filled();
    await t.messages(alice.userId, "PHONE", { after: 0, upTo: 5, limit: 9 });
    const commit = vi.spyOn(t.storage, "commit");
    for (const upTo of [5, 5, 6, 7]) t.delivered(alice.userId, "PHONE", upTo);
    expect(commit).toHaveBeenCalledTimes(1);
  });
});

describe("a device that is removed", () => {
  const phone = { userId: alice.userId, deviceIds: ["PHONE"], isAccount: false };

  test("takes its messages along, in the same unit, and nobody else's", async () => {
    const t = await open();
    await t.put({ [alice.userId]: { "*": {} }, [bob.userId]: { D: {} } });
    await t.storage.commit(await t.removal(phone));
    expect(await t.waiting("PHONE")).toEqual([]);
    expect(await t.waiting("LAPTOP")).toHaveLength(1);
    expect(await t.waiting("D", bob.userId)).toHaveLength(1);
  });

  test("gets nothing that was on its way, so that a new one of its name does not either", async () => {
    const t = await open();
    const { devices } = t;
    const remove = await t.removal(phone);
    // The removal is queued after the sender has looked at the devices, and before it stores anything.
    const intern = t.storage.names.intern.bind(t.storage.names);
    vi.spyOn(t.storage.names, "intern").mockImplementationOnce((text) => {
      devices.set(alice.userId, ["LAPTOP"]);
      void t.storage.commit(remove);
      return intern(text);
    });
    await t.put({ [alice.userId]: { "*": { n: 1 } } }, "1");
    expect(await t.waiting("PHONE")).toEqual([]);
    expect(await t.waiting("LAPTOP")).toEqual([event({ n: 1 })]);
    // The new one gets what is sent to it.
    devices.set(alice.userId, ["PHONE", "LAPTOP"]);
    await t.put({ [alice.userId]: { PHONE: { n: 2 } } }, "2");
    expect(await t.waiting("PHONE")).toEqual([event({ n: 2 })]);
  });
});

test("a flood is cut to the bound, and takes no room from what others have sent", async () => {
  const t = await open();
  await t.put({ [alice.userId]: { PHONE: { from: "bob" } } }, "first");
  const { userId } = requester("mallory");
  const row = { type: "m.room.encrypted", sender: userId, json: "{}" };
  // As if they were as large as they may be: what counts is what their keys say.
  const weight = weightOf(65_535);
  await t.storage.commit((write) => {
    for (let i = 0; i * weight < MAX_QUEUE_WEIGHT; i++) {
      const p = write.append({ topic: "toDevice", detail: "PHONE" });
      write.put("toDevice", row, [alice.userId, "PHONE", p, userId, weight, 0]);
    }
  });
  const large = { x: "x".repeat(65_000) };
  const look = Math.ceil(MAX_QUEUE_WEIGHT / 128 / weightOf(65_000));
  for (let i = 0; i < look; i++) {
    await t.put({ [alice.userId]: { PHONE: large } }, `${i}`, "m.room.encrypted", requester("mallory"));
  }
  const keys = await t.storage.getAllKeys("toDevice");
  const left = keys.reduce((sum, key) => sum + key[4], 0);
  expect(left).toBeLessThanOrEqual(MAX_QUEUE_WEIGHT * 0.9);
  expect(left).toBeGreaterThan(MAX_QUEUE_WEIGHT * 0.89);
  const waiting = await t.waiting("PHONE");
  expect(waiting[0]).toEqual(event({ from: "bob" }));
  expect(waiting.at(-1)!.content).toEqual(large);
});

test("a queue that cannot be cut is no reason to refuse what is stored", async () => {
  const t = await open();
  const warn = vi.spyOn(console, "warn").mockImplementation(() => undefined);
  await t.put({ [alice.userId]: { LAPTOP: {} } }, "first");
  vi.spyOn(t.storage, "getAllKeys").mockRejectedValue(new Error("the disk is away"));
  const large = { x: "x".repeat(65_000) };
  for (let i = 0; i < 10; i++) await t.put({ [alice.userId]: { LAPTOP: large } }, `${i}`);
  expect(warn).toHaveBeenCalledOnce();
  vi.restoreAllMocks();
  expect(await t.waiting("LAPTOP")).toHaveLength(11);
});
