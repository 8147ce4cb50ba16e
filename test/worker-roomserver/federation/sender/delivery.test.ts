import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { OutgoingEdu } from "../../../../src/worker-roomserver/federation/api.ts";
import { testTimers } from "../support/timers.ts";
import { membership } from "./support/remote-events.ts";
import { noEdus, type Rig, type RigOptions, senderRig } from "./support/rig.ts";
import type { Got } from "./support/servers.ts";

const ONE = "one.example";
const HOUR = 60 * 60_000;

/** A room of Alice's that a user of another server is in, before anybody follows the log. */
async function shared(options: RigOptions = {}, others: readonly string[] = [ONE]) {
  const rig = await senderRig(options);
  const roomId = await rig.create();
  for (const server of others) await rig.joins(roomId, `@bob:${server}`);
  const say = async (...bodies: string[]) => {
    for (const body of bodies) await rig.say(roomId, body);
  };
  const heard = (bodies: readonly string[], server = ONE) =>
    vi.waitFor(() => expect(rig.servers.messages(server)).toEqual(bodies), { timeout: 10_000 });
  const waiting = async (server = ONE) => {
    const all = await rig.sender.forOwner.destinations();
    return all.find(({ serverName }) => serverName === server);
  };
  return { rig, roomId, say, heard, waiting };
}

const numbered = (count: number, from = 0) => Array.from({ length: count }, (_, i) => `${from + i}`);
const sizes = (rig: Rig, server = ONE) => rig.servers.taken.get(server)?.map(({ pdus }) => pdus.length);
const ids = (rig: Rig, server = ONE) => rig.servers.asked.get(server)?.map(({ id }) => id) ?? [];

/** A server that holds each transaction until it is let go. */
function gate(rig: Rig, server: string) {
  const held: { got: Got; letGo: () => void }[] = [];
  rig.servers.on(
    server,
    (got) => new Promise((resolve) => held.push({ got, letGo: () => resolve({ status: 200 }) })),
  );
  return held;
}

describe("what waits for a server", () => {
  test("comes in its order, at most 50 events at once, each transaction after the one before", async () => {
    const { rig, say, heard } = await shared();
    const bodies = numbered(120);
    await say(...bodies);
    await rig.sender.start();
    await heard(bodies);
    expect(sizes(rig)).toEqual([50, 50, 20]);
    expect(new Set(ids(rig)).size).toBe(3);
  });

  test("is not sent while another transaction is under way", async () => {
    const { rig, say, heard } = await shared();
    const held = gate(rig, ONE);
    await rig.sender.start();
    await say("first");
    await vi.waitFor(() => expect(held).toHaveLength(1));
    await say("second", "third");
    await vi.waitFor(async () => {
      const [one] = await rig.sender.forOwner.destinations();
      expect(one?.waiting.pdus).toBe(3);
    });
    expect(held).toHaveLength(1);
    rig.servers.up(ONE);
    held[0]!.letGo();
    await heard(["first", "second", "third"]);
    expect(sizes(rig)).toEqual([1, 2]);
  });

  test("is the event as it is stored", async () => {
    const { rig, roomId, heard } = await shared();
    const eventId = await rig.say(roomId, "hello");
    await rig.sender.start();
    await heard(["hello"]);
    const [stored] = await rig.queries.eventsById([eventId]);
    const row = await rig.storage.get("events", stored!.nid);
    expect(rig.servers.taken.get(ONE)![0]!.pdus[0]).toEqual(JSON.parse(row!.json));
  });

  test("is less where events are large", async () => {
    const { rig, roomId, say, heard } = await shared();
    const large = "x".repeat(60_000);
    for (let i = 0; i < 6; i++) await rig.say(roomId, `${i}${large}`);
    await say("last");
    await rig.sender.start();
    await heard([...numbered(6).map((n) => `${n}${large}`), "last"]);
    expect(sizes(rig)).toEqual([4, 3]);
  });
});

describe("a transaction that is not taken", () => {
  test.each<[string, number | undefined]>([
    ["by nobody who is there", undefined],
    ["as the server is not well", 503],
    ["as the key is not known", 401],
    ["as there is no homeserver", 404],
    ["as the way to it is shut", 403],
  ])("%s is sent again under its id, once there is a sign of the server", async (_, status) => {
    const { rig, say, heard, waiting } = await shared();
    rig.servers.on(ONE, () =>
      status === undefined ? undefined : { status, body: status < 402 ? { errcode: "M_UNKNOWN" } : {} },
    );
    await rig.sender.start();
    await say("first");
    await vi.waitFor(async () => expect((await waiting())?.failures).toBe(1));
    await say("second");
    await vi.waitFor(async () => expect((await waiting())?.waiting.pdus).toBe(2));
    expect(ids(rig)).toHaveLength(1);
    expect((await waiting())?.lastError).not.toBe("");
    rig.servers.up(ONE);
    rig.destinations.heardFrom(ONE);
    await heard(["first", "second"]);
    // The first as it was, under its id; then what has come since.
    expect(ids(rig)[1]).toBe(ids(rig)[0]);
    expect(rig.servers.asked.get(ONE)![1]!.text).toBe(rig.servers.asked.get(ONE)![0]!.text);
    expect(sizes(rig)).toEqual([1, 1]);
    expect((await waiting())?.waiting).toEqual({ pdus: 0, edus: 0 });
  });

  test.each([403, 404, 429])(
    "as its server wants none (%d) waits, and the server is not given up",
    async (status) => {
      const timers = testTimers();
      const { rig, say, heard, waiting } = await shared(timers);
      await rig.sender.forOwner.setRelays(ONE, ["https://relay.example"]);
      const answers = [{}, { retry_after_ms: 10 * 60_000 }];
      rig.servers.on(ONE, () => ({ status, body: { errcode: "M_UNKNOWN", ...answers.shift() } }));
      await rig.sender.start();
      await say("first");
      await vi.waitFor(async () => expect((await waiting())?.retryAt).toBe(timers.now() + 60_000));
      expect(await waiting()).toMatchObject({ failures: 0, waiting: { pdus: 1 } });
      expect((await waiting())?.lastError).toContain(`${status}`);
      await say("second");
      await vi.waitFor(async () => expect((await waiting())?.waiting.pdus).toBe(2));
      timers.pass(59_000);
      expect(ids(rig)).toHaveLength(1);
      timers.pass(1_000);
      await vi.waitFor(async () => expect((await waiting())?.retryAt).toBe(timers.now() + 10 * 60_000));
      expect(new Set(ids(rig)).size).toBe(1);
      rig.servers.up(ONE);
      timers.pass(10 * 60_000);
      await heard(["first", "second"]);
      expect((await waiting())?.retryAt).toBe(0);
      expect(rig.servers.asked.has("relay.example")).toBe(false);
    },
  );

  test("as its server wants none is sent at once when the owner says so", async () => {
    const { rig, say, heard, waiting } = await shared(testTimers());
    rig.servers.on(ONE, () => ({ status: 403, body: { errcode: "M_FORBIDDEN" } }));
    await rig.sender.start();
    await say("first");
    await vi.waitFor(async () => expect((await waiting())?.retryAt).toBeGreaterThan(0));
    rig.servers.up(ONE);
    await rig.sender.forOwner.retryNow(ONE);
    await heard(["first"]);
  });

  test.each([400, 413])(
    "for what is in it (%d) is sent in parts, until one event is left out",
    async (status) => {
      const warn = vi.spyOn(console, "warn").mockReturnValue();
      onTestFinished(() => warn.mockRestore());
      const { rig, say, heard } = await shared();
      rig.servers.on(ONE, ({ text }) => (text.includes("bad") ? { status } : { status: 200 }));
      await say("0", "1", "2", "bad", "4", "5", "6");
      await rig.sender.start();
      await heard(["0", "1", "2", "4", "5", "6"]);
      expect(warn).toHaveBeenCalledOnce();
      await say("after");
      await heard(["0", "1", "2", "4", "5", "6", "after"]);
      expect(rig.servers.asked.get(ONE)!.length).toBeLessThan(16);
    },
  );

  test("as this server has no way out is sent again after a while, and nobody is blamed for it", async () => {
    const timers: (() => void)[] = [];
    const { rig, say, heard, waiting } = await shared({
      later: (_, call) => {
        timers.push(call);
        return () => undefined;
      },
    });
    await rig.sender.forOwner.setRelays(ONE, ["https://relay.example"]);
    rig.servers.on(ONE, () => ({ status: 0, isOurs: true }));
    await rig.sender.start();
    await say("first");
    await vi.waitFor(() => expect(timers).toHaveLength(1));
    expect(await waiting()).toMatchObject({ failures: 0, waiting: { pdus: 1 } });
    expect(rig.servers.asked.has("relay.example")).toBe(false);
    rig.servers.up(ONE);
    timers[0]!();
    await heard(["first"]);
    expect(new Set(ids(rig)).size).toBe(1);
  });

  test("as this server has no way out is sent again at once when there is one", async () => {
    const { rig, say, heard, waiting } = await shared({ later: () => () => undefined });
    rig.servers.on(ONE, () => ({ status: 0, isOurs: true }));
    await rig.sender.start();
    await say("first");
    await vi.waitFor(() => expect(rig.servers.asked.get(ONE)).toHaveLength(1));
    expect(await waiting()).toMatchObject({ failures: 0, waiting: { pdus: 1 } });
    rig.servers.up(ONE);
    rig.destinations.wayIsOpen();
    await heard(["first"]);
    expect(new Set(ids(rig)).size).toBe(1);
  });

  test("whole, but for an event, is over", async () => {
    const { rig, say, heard, waiting } = await shared();
    rig.servers.on(ONE, () => ({ status: 200, body: { pdus: { $a: { error: "It is not allowed." } } } }));
    await rig.sender.start();
    await say("first");
    await heard(["first"]);
    await vi.waitFor(async () => expect((await waiting())?.lastError).toBe("$a: It is not allowed."));
    expect((await waiting())?.waiting.pdus).toBe(0);
  });

  test("by a server that says nothing readable with its 200, is sent again: it may be no homeserver", async () => {
    const { rig, say, heard, waiting } = await shared();
    rig.servers.on(ONE, () => ({ status: 200, unreadable: true }));
    await rig.sender.start();
    await say("first");
    await vi.waitFor(async () =>
      expect(await waiting()).toMatchObject({ failures: 1, waiting: { pdus: 1 } }),
    );
    rig.servers.up(ONE);
    rig.destinations.heardFrom(ONE);
    await heard(["first"]);
    await vi.waitFor(async () => expect((await waiting())?.waiting.pdus).toBe(0));
    expect(new Set(ids(rig)).size).toBe(1);
  });
});

describe("a server that is away for long", () => {
  /** Another room of Alice's with Bob, and messages in it. */
  const another = async (rig: Rig, ...bodies: string[]) => {
    const roomId = await rig.create();
    await rig.joins(roomId, `@bob:${ONE}`);
    for (const body of bodies) await rig.say(roomId, body);
    return roomId;
  };

  test("gets the newest event of each room, not the backlog", async () => {
    let time = 1;
    const { rig, say, waiting } = await shared({ now: () => time });
    rig.servers.down(ONE);
    await rig.sender.start();
    await say("a0");
    await vi.waitFor(async () => expect((await waiting())?.failures).toBe(1));
    await say("a1", "a2");
    await another(rig, "b0");
    await vi.waitFor(async () => expect((await waiting())?.waiting.pdus).toBe(4));
    time += HOUR + 1;
    rig.destinations.heardFrom(ONE);
    await vi.waitFor(async () => {
      expect(await waiting()).toMatchObject({ waiting: { pdus: 2 }, catchingUp: true });
    });
    // From then on, a newer one takes the place of the one that waits.
    await say("a3");
    rig.servers.up(ONE);
    await vi.waitFor(async () => expect((await waiting())?.waiting.pdus).toBe(2));
    rig.destinations.heardFrom(ONE);
    await vi.waitFor(() => expect(rig.servers.messages(ONE).sort()).toEqual(["a3", "b0"]));
    await vi.waitFor(async () => {
      expect(await waiting()).toMatchObject({ waiting: { pdus: 0 }, catchingUp: false });
    });
    // One room at a time, and then all as before.
    expect(sizes(rig)?.every((size) => size === 1)).toBe(true);
    await say("a4", "a5");
    await vi.waitFor(() => expect(rig.servers.messages(ONE).slice(2)).toEqual(["a4", "a5"]));
  });

  test("gets what others wrote last, where that is the newest", async () => {
    let time = 1;
    const { rig, roomId, say, heard, waiting } = await shared({ now: () => time }, [ONE, "two.example"]);
    rig.servers.down(ONE);
    await rig.sender.start();
    await say("a0", "a1");
    await vi.waitFor(async () => expect((await waiting())?.waiting.pdus).toBe(2));
    time += HOUR + 1;
    rig.destinations.heardFrom(ONE);
    await vi.waitFor(async () => expect((await waiting())?.catchingUp).toBe(true));
    const theirs = { type: "m.room.message", sender: "@bob:two.example", content: { body: "theirs" } };
    await rig.comesIn(roomId, theirs);
    rig.servers.up(ONE);
    rig.destinations.heardFrom(ONE);
    await heard(["theirs"]);
  });

  test("is still told that it was put out of a room", async () => {
    let time = 1;
    const { rig, roomId, say, waiting } = await shared({ now: () => time });
    rig.servers.down(ONE);
    await rig.sender.start();
    await say("a0", "a1");
    await rig.act(roomId, "kick", `@bob:${ONE}`);
    await say("not for bob");
    await vi.waitFor(async () => expect((await waiting())?.waiting.pdus).toBe(3));
    time += HOUR + 1;
    rig.destinations.heardFrom(ONE);
    await vi.waitFor(async () => expect((await waiting())?.catchingUp).toBe(true));
    rig.servers.up(ONE);
    rig.destinations.heardFrom(ONE);
    await vi.waitFor(() => {
      const [got] = rig.servers.taken.get(ONE) ?? [];
      expect(got?.pdus).toMatchObject([{ content: { membership: "leave" } }]);
    });
  });

  test("keeps but one row a room, however much is said there", async () => {
    const { rig, say, waiting } = await shared();
    rig.servers.down(ONE);
    await rig.sender.start();
    await another(rig, "b0");
    await say(...numbered(520));
    await vi.waitFor(async () => expect((await waiting())?.catchingUp).toBe(true));
    await vi.waitFor(async () => expect((await waiting())?.waiting.pdus).toBeLessThan(30));
    await rig.storage.flushed();
    expect((await rig.storage.getAllKeys("outgoing")).length).toBeLessThan(30);
  });
});

test("two hundred servers, of which fifty hang: the others get all as without them", async () => {
  const here = Array.from({ length: 150 }, (_, i) => `up${i}.example`);
  const hanging = Array.from({ length: 50 }, (_, i) => `hangs${i}.example`);
  const { rig, say, waiting } = await shared({}, [...hanging, ...here]);
  let underWay = 0;
  let most = 0;
  const begins = () => {
    underWay += 1;
    most = Math.max(most, underWay);
  };
  for (const server of hanging) {
    rig.servers.on(server, () => {
      begins();
      return new Promise(() => undefined);
    });
  }
  for (const server of here) {
    rig.servers.on(server, async () => {
      begins();
      await Promise.resolve();
      underWay -= 1;
      return { status: 200 };
    });
  }
  await rig.sender.start();
  await say("one");
  await vi.waitFor(() => expect(hanging.every((server) => rig.servers.asked.has(server))).toBe(true), {
    timeout: 20_000,
  });
  await say("two");
  const all = () => here.every((server) => rig.servers.messages(server).length === 2);
  await vi.waitFor(() => expect(all()).toBe(true), { timeout: 20_000 });
  expect(hanging.map((server) => rig.servers.asked.get(server)?.length)).toEqual(hanging.map(() => 1));
  expect((await waiting(hanging[0]))?.waiting.pdus).toBe(2);
  expect(most).toBeLessThanOrEqual(60);
}, 30_000);

test("what waits for rooms that are gone is left out", async () => {
  const { rig, roomId, say, waiting } = await shared();
  rig.servers.down(ONE);
  await rig.sender.start();
  await say("a");
  await vi.waitFor(async () => expect((await waiting())?.failures).toBe(1));
  vi.spyOn(rig.rooms, "presentEvents").mockImplementation(async (nids) => nids.map(() => undefined));
  rig.servers.up(ONE);
  rig.destinations.heardFrom(ONE);
  await vi.waitFor(async () => expect((await waiting())?.waiting.pdus).toBe(0));
  expect(ids(rig)).toHaveLength(1);
  expect(roomId).not.toBe("");
});

describe("EDUs", () => {
  /** Each message is told with EDUs as well. */
  const telling = (of: (n: number) => OutgoingEdu[]): RigOptions => {
    let n = 0;
    return {
      edus: () => ({ ...noEdus, of: async ({ topic }) => (topic === "typing" ? of(n++) : []) }),
    };
  };
  const tell = (rig: Rig) => rig.storage.commit((write) => write.append({ topic: "typing" }));
  const edu = (n: number, more: Partial<OutgoingEdu> = {}): OutgoingEdu => ({
    ...{ edu: { edu_type: "m.test", content: { n } }, servers: [ONE], durable: true, ...more },
  });
  const numbers = (rig: Rig) => rig.servers.edus(ONE).map(({ content }) => content.n);

  test("that must not be lost wait for a server that is away, the newest of each key", async () => {
    const options = telling((n) => [
      edu(n, n % 2 === 0 ? { key: "even" } : {}),
      edu(n, { servers: ["other.example"] }),
    ]);
    const { rig, waiting } = await shared(options);
    rig.servers.down(ONE);
    await rig.sender.start();
    await tell(rig);
    await vi.waitFor(async () => expect((await waiting())?.failures).toBe(1));
    for (let i = 1; i < 5; i++) await tell(rig);
    await vi.waitFor(() => expect(rig.servers.edus("other.example")).toHaveLength(5));
    expect((await waiting())?.waiting.edus).toBe(3);
    rig.servers.up(ONE);
    rig.destinations.heardFrom(ONE);
    await vi.waitFor(() => expect(numbers(rig)).toEqual([1, 3, 4]));
  });

  test("that are soon out of date are for servers that are there", async () => {
    const fleeting = (n: number) => edu(n, { durable: false, key: "typing" });
    const { rig, say } = await shared(telling((n) => [fleeting(n), edu(n, { servers: ["other.example"] })]));
    const held = gate(rig, ONE);
    await rig.sender.start();
    await say("first");
    await vi.waitFor(() => expect(held).toHaveLength(1));
    await tell(rig);
    await tell(rig);
    await say("second");
    await vi.waitFor(async () => {
      const [one] = await rig.sender.forOwner.destinations();
      expect(one?.waiting).toEqual({ pdus: 2, edus: 1 });
    });
    rig.servers.down(ONE);
    held[0]!.letGo();
    await vi.waitFor(() => expect(rig.servers.asked.get(ONE)).toHaveLength(2));
    expect(rig.servers.asked.get(ONE)![1]!.edus).toEqual([{ edu_type: "m.test", content: { n: 1 } }]);
    // It was not there: what was said about typing is out of date when it is back.
    await vi.waitFor(async () => expect(await rig.destinations.isReady(ONE)).toBe(false));
    await tell(rig);
    await vi.waitFor(() => expect(rig.servers.edus("other.example")).toHaveLength(3));
    rig.servers.up(ONE);
    rig.destinations.heardFrom(ONE);
    await vi.waitFor(() => expect(rig.servers.messages(ONE)).toEqual(["first", "second"]));
    expect(numbers(rig)).toEqual([]);
  });

  test("come a hundred at a time", async () => {
    const { rig } = await shared(telling((n) => Array.from({ length: 90 }, (_, i) => edu(100 * n + i))));
    await rig.sender.start();
    await tell(rig);
    await vi.waitFor(() => expect(numbers(rig)).toEqual(Array.from({ length: 90 }, (_, i) => i)));
    expect(rig.servers.taken.get(ONE)!.every(({ edus }) => edus.length <= 100)).toBe(true);
  });
});

test("an invite and what follows are told once each, in both orders of starting", async () => {
  const { rig, roomId, heard } = await shared();
  await rig.sender.start();
  await rig.comesIn(roomId, membership(`@dora:${ONE}`, "invite", rig.alice.userId));
  await rig.say(roomId, "x");
  await heard(["x"]);
  const types = rig.servers.taken.get(ONE)!.flatMap(({ pdus }) => pdus.map(({ type }) => type));
  expect(types).toEqual(["m.room.member", "m.room.message"]);
});
