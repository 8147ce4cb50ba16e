import fc from "fast-check";
import { expect, onTestFinished, test, vi } from "vitest";
import type { JsonObject } from "../../../src/matrix/json.ts";
import { type AppServiceAnswer, NoAnswer } from "../../../src/worker-roomserver/appservices/client.ts";
import {
  Delivery,
  type DeliveryOptions,
  retryAfter,
} from "../../../src/worker-roomserver/appservices/delivery.ts";
import { Registry } from "../../../src/worker-roomserver/appservices/registry.ts";
import type { StoredEvent } from "../../../src/worker-roomserver/room/api.ts";
import { failCommit, nextTask, until } from "../support/rounds.ts";
import { type TestStorage, testStorage } from "../support/storage.ts";
import { h, rowOf } from "./support/registration.ts";

type Command =
  | { do: "append"; events: number }
  | { do: "service"; is: "up" | "down" | "refusing" | "unheard" }
  | { do: "time"; ms: number }
  | { do: "crash" | "rollback" | "rounds" };

const command: fc.Arbitrary<Command> = fc.oneof(
  fc.record({ do: fc.constant("append" as const), events: fc.integer({ min: 1, max: 150 }) }),
  fc.record({
    do: fc.constant("service" as const),
    is: fc.constantFrom("up" as const, "down" as const, "refusing" as const, "unheard" as const),
  }),
  fc.record({ do: fc.constant("time" as const), ms: fc.integer({ min: 1, max: 700_000 }) }),
  fc.record({ do: fc.constantFrom("crash" as const, "rollback" as const, "rounds" as const) }),
);

/** A service, and a homeserver that is closed and opened about it. */
class Trial {
  readonly #dbName = `test-${crypto.randomUUID()}`;
  #storage!: TestStorage;
  #delivery!: Delivery;
  #life = 0;
  #now = 1_000_000;
  #timers = new Map<number, { at: number; call: () => void }>();
  #nextTimer = 0;
  #service: "up" | "down" | "refusing" | "unheard" = "up";
  #event = 0;
  /** Events that are to come, and those that came, with each transaction counted once. */
  readonly wanted: string[] = [];
  readonly bodies = new Map<string, string>();
  /** Ids in the order in which they first came. */
  readonly order: string[] = [];
  readonly complaints: string[] = [];
  isAtOnce = 0;
  mostAtOnce = 0;

  async open(): Promise<this> {
    this.#storage = await testStorage(this.#dbName);
    const isFirst = this.#life === 0;
    const registry = await Registry.open(this.#storage, h);
    const service = isFirst ? await registry.add(rowOf(), async () => undefined) : registry.get("irc")!;
    this.#life += 1;
    this.#timers.clear();
    this.isAtOnce = 0;
    this.#delivery = new Delivery(this.#options(this.#life), service, "http://irc");
    return this;
  }

  async carryOut(command: Command): Promise<void> {
    if (command.do === "append") return this.#append(command.events);
    if (command.do === "service") this.#service = command.is;
    else if (command.do === "time") this.#pass(command.ms);
    else if (command.do === "rollback") await failCommit(this.#storage);
    else if (command.do === "crash") {
      this.#life += 1; // whoever is under way belongs to nobody
      this.#delivery.stop();
      await this.#storage.settled();
      this.#storage.close();
      await this.open();
    }
    for (let round = 0; round < 5; round++) await nextTask();
  }

  async end(): Promise<void> {
    this.#service = "up";
    await until(() => {
      this.#pass(3_600_000);
      return this.received().length >= this.wanted.length;
    });
    this.#delivery.stop();
  }

  received(): string[] {
    return this.order.flatMap((id) => {
      const { events } = JSON.parse(this.bodies.get(id)!) as { events: JsonObject[] };
      return events.map((event) => event.event_id as string);
    });
  }

  async #append(count: number): Promise<void> {
    const events = Array.from({ length: count }, () => ++this.#event);
    this.wanted.push(...events.filter(isInteresting).map((nid) => `$${nid}`));
    await this.#storage.commit((write) => {
      for (const event of events) write.append({ topic: "room", room: 1, event });
    });
  }

  #pass(ms: number): void {
    this.#now += ms;
    for (const [timer, { at, call }] of this.#timers) {
      if (at > this.#now) continue;
      this.#timers.delete(timer);
      call();
    }
  }

  async #answer(life: number, path: string, body: string): Promise<AppServiceAnswer> {
    if (life !== this.#life) return new Promise(() => undefined);
    this.isAtOnce += 1;
    this.mostAtOnce = Math.max(this.mostAtOnce, this.isAtOnce);
    await nextTask();
    if (life !== this.#life) return new Promise(() => undefined);
    this.isAtOnce -= 1;
    if (this.#service === "down") throw new NoAnswer("connection", "down");
    const id = path.split("/").at(-1)!;
    // What is thrown here would be taken for a failing service.
    if ((this.bodies.get(id) ?? body) !== body) this.complaints.push(`${id} has changed`);
    if (!this.bodies.has(id)) this.order.push(id);
    this.bodies.set(id, body);
    if (this.order.at(-1) !== id) this.complaints.push(`${id} comes after a later one`);
    if (this.#service === "unheard") throw new NoAnswer("timeout", "the answer was lost");
    return { status: this.#service === "refusing" ? 500 : 200, body: "{}" };
  }

  #options(life: number): DeliveryOptions {
    return {
      storage: this.#storage,
      client: (_, { path, body }) => this.#answer(life, path, body!),
      now: () => this.#now,
      later: (ms, call) => {
        const timer = ++this.#nextTimer;
        if (life === this.#life) this.#timers.set(timer, { at: this.#now + ms, call });
        return () => void this.#timers.delete(timer);
      },
      room: {
        presentEvents: async (nids) => nids.map(event),
        clientEvent: ({ eventId, pdu }) =>
          ({ event_id: eventId, sender: pdu.sender }) as ReturnType<DeliveryOptions["room"]["clientEvent"]>,
        usersIn: async () => [],
        membershipOf: async () => undefined,
        stateEntry: async () => undefined,
        events: async () => [],
        snapshotAt: async () => 0,
        membershipsOf: async () => [],
      },
      aliasesOf: async () => [],
      typing: { typists: () => [] },
      receipts: { changed: async () => [] },
      presence: { changed: async () => [] },
      keys: {
        changedLists: async () => new Set(),
        counts: async () => ({ oneTimeKeys: {}, unusedFallbacks: [] }),
      },
      toDevice: {
        messages: async (_, __, { upTo }) => ({ messages: [], upTo }),
        delivered: () => undefined,
        take: () => undefined,
      },
    };
  }
}

const isInteresting = (nid: number) => nid % 3 !== 0;

function event(nid: number): StoredEvent {
  const sender = isInteresting(nid) ? `@_irc_${nid}:${h}` : `@alice:${h}`;
  const pdu = { type: "m.room.message", sender, content: {} };
  return { nid, eventId: `$${nid}`, room: 1, roomId: "!r:h", order: nid, pdu, stateBefore: 0 } as StoredEvent;
}

test("whatever fails and whenever the homeserver ends, each event comes once in its order, and a transaction is always the same", async () => {
  // Each failure is told of.
  vi.spyOn(console, "warn").mockImplementation(() => undefined);
  vi.spyOn(console, "error").mockImplementation(() => undefined);
  onTestFinished(() => void vi.restoreAllMocks());
  await fc.assert(
    fc.asyncProperty(fc.array(command, { maxLength: 25 }), async (commands) => {
      const trial = await new Trial().open();
      for (const each of commands) await trial.carryOut(each);
      await trial.end();
      expect(trial.complaints).toEqual([]);
      expect(trial.received()).toEqual(trial.wanted);
      expect(trial.mostAtOnce).toBeLessThanOrEqual(1);
      const sizes = [...trial.bodies.values()].map(
        (body) => (JSON.parse(body) as { events: [] }).events.length,
      );
      expect(Math.max(0, ...sizes)).toBeLessThanOrEqual(100);
    }),
    { numRuns: 40 },
  );
}, 60_000);

test("a service that stays away is asked less and less often, and every ten minutes in the end", () => {
  expect([1, 2, 3, 9, 10, 11, 100].map(retryAfter)).toEqual([
    1_000, 2_000, 4_000, 256_000, 512_000, 600_000, 600_000,
  ]);
});
