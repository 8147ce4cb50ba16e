import fc from "fast-check";
import { expect, inject, onTestFinished, test, vi } from "vitest";
import type { JsonObject } from "../../../src/matrix/json.ts";
import type { Egress } from "../../../src/worker-roomserver/egress/api.ts";
import { type OpenNode, openNode } from "../../../src/worker-roomserver/node/node.ts";
import type { Requester } from "../../../src/worker-roomserver/node/requester.ts";
import { deleteDatabase } from "../../../src/worker-roomserver/storage/open.ts";
import { cryptoDevice } from "../support/crypto-device.ts";
import { outsideJson } from "../support/egress.ts";
import { registerAt } from "../support/node.ts";
import { diesAfterNextUnit, nextTask, until } from "../support/rounds.ts";
import { cheap } from "../support/users.ts";
import { asToken, yamlOf } from "./support/registration.ts";

type Command = {
  do: "say" | "message" | "claim" | "crash" | "dieInUnit" | "rounds" | "down" | "unheard" | "up";
};
const command: fc.Arbitrary<Command> = fc.record({
  do: fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom("say" as const, "message" as const, "claim" as const) },
    { weight: 3, arbitrary: fc.constantFrom("crash" as const, "dieInUnit" as const, "rounds" as const) },
    { weight: 2, arbitrary: fc.constantFrom("down" as const, "unheard" as const, "up" as const) },
  ),
});

const KEYS = 10;
const roomCreation = { preset: "public_chat" } as const;

type Contents = { content: JsonObject }[];
type Body = {
  events?: Contents;
  "de.sorunome.msc2409.to_device"?: Contents;
  "org.matrix.msc3202.device_one_time_keys_count"?: Record<string, Record<string, Record<string, number>>>;
};

/** A bridge whose bot encrypts, in a room with alice; and the homeserver, which ends and comes back about them. */
class Trial {
  readonly #dbName = `test-${crypto.randomUUID()}`;
  #node!: OpenNode;
  #life = 0;
  #state: "up" | "down" | "unheard" = "up";
  #alice!: Requester;
  #bot!: Requester;
  #roomId = "";
  #n = 0;
  readonly said: number[] = [];
  readonly messages: number[] = [];
  readonly claimed = new Set<string>();
  /** What was told first under each id, in the order in which that was. */
  readonly transactions = new Map<string, string>();
  readonly complaints: string[] = [];

  async begin(): Promise<this> {
    await this.#open();
    this.#alice = await registerAt(this.#node, "alice");
    await this.#node.appServices.add(yamlOf({ "org.matrix.msc3202": true }));
    this.#bot = (await this.#node.users.authenticate(asToken)).requester;
    await this.#node.users.renameDevice(this.#bot, "BOT", "bridge");
    this.#bot = { ...this.#bot, deviceId: "BOT" };
    const device = await cryptoDevice(this.#bot.userId, "BOT");
    await this.#node.keys.upload(this.#bot, {
      device_keys: device.deviceKeys,
      one_time_keys: await device.oneTimeKeys(KEYS),
    });
    const { room } = this.#node;
    this.#roomId = (await room.createRoom(crypto.randomUUID(), this.#alice, roomCreation)).room_id;
    const join = { roomId: this.#roomId, action: "join", target: this.#bot.userId } as const;
    await room.changeMembership(crypto.randomUUID(), this.#bot, join);
    return this;
  }

  async carryOut({ do: what }: Command): Promise<void> {
    if (what === "up" || what === "down" || what === "unheard") this.#state = what;
    else if (what === "rounds") for (let i = 0; i < 20; i++) await nextTask();
    else if (what === "crash") await this.#open();
    else if (what === "dieInUnit") {
      // The last unit may be the event, or one of what the service is told. Alice asks the next leader for the same.
      const died = diesAfterNextUnit(this.#node.storage);
      const n = this.#next(this.said);
      this.#say(n).catch(() => undefined);
      await died;
      await this.#open();
      await this.#say(n);
    } else await this.#act(what);
  }

  async end(): Promise<void> {
    this.#state = "up";
    await this.#open(); // what waits for its time is tried at once
    await until(
      () => this.told("body").length >= this.said.length && this.told("n").length >= this.messages.length,
    );
    await until(() => this.lastCount() === KEYS - this.claimed.size);
  }

  /** Numbers from what came, in the order in which it did. */
  told(member: "body" | "n"): number[] {
    const name = member === "body" ? "events" : "de.sorunome.msc2409.to_device";
    return this.#bodies().flatMap((body) =>
      (body[name] ?? []).flatMap(({ content }) =>
        typeof content[member] === "number" ? [content[member]] : [],
      ),
    );
  }

  lastCount(): number {
    const name = "org.matrix.msc3202.device_one_time_keys_count";
    const last = this.#bodies().findLast((body) => body[name] !== undefined)?.[name];
    return last?.[this.#bot.userId]?.BOT?.signed_curve25519 ?? KEYS;
  }

  #bodies(): Body[] {
    return [...this.transactions.values()].map((body) => JSON.parse(body) as Body);
  }

  /** Positions of what is left in the queue of the bot's device. */
  async waiting(): Promise<number[]> {
    return (await this.#node.storage.getAllKeys("toDevice")).map((key) => key[2]);
  }

  #next(of: number[]): number {
    of.push(++this.#n);
    return this.#n;
  }

  async #say(n: number): Promise<void> {
    const event = { roomId: this.#roomId, type: "m.x", txnId: `${n}`, content: { body: n } };
    await this.#node.room.sendEvent(this.#alice, event);
  }

  async #act(what: "say" | "message" | "claim"): Promise<void> {
    const { toDevice, keys } = this.#node;
    if (what === "say") await this.#say(this.#next(this.said));
    else if (what === "message") {
      const n = this.#next(this.messages);
      const messages = { [this.#bot.userId]: { BOT: { n } } };
      await toDevice.send(this.#alice, { eventType: "m.x", txnId: `${n}`, messages });
    } else {
      const wanted = { [this.#bot.userId]: { BOT: "signed_curve25519" } };
      const { one_time_keys } = await keys.claim(crypto.randomUUID(), wanted);
      for (const name of Object.keys(one_time_keys[this.#bot.userId]?.BOT ?? {})) {
        if (this.claimed.has(name)) this.complaints.push(`${name} was given out twice`);
        this.claimed.add(name);
      }
    }
  }

  async #open(): Promise<void> {
    this.#life += 1;
    this.#crash();
    this.#node = await openNode({
      dbName: this.#dbName,
      now: Date.now,
      onStopped: () => undefined,
      passwordCost: cheap,
      egress: this.#egressOf(this.#life),
    });
  }

  /** What is under way never gets to the disk. */
  #crash(): void {
    if (this.#life === 1) return;
    this.#node.storage.close();
    this.#node.close().catch(() => undefined);
  }

  async remove(): Promise<void> {
    this.#crash();
    await deleteDatabase(this.#dbName);
  }

  #egressOf(life: number): Egress {
    const gone = new Promise<never>(() => undefined);
    const fetch: Egress["fetch"] = async ({ url }, { body }) => {
      await nextTask();
      if (life !== this.#life) return gone;
      if (this.#state === "down") return { failure: "unreachable", why: "down" };
      const id = url.split("/").at(-1)!;
      const known = this.transactions.get(id) ?? body!;
      if (known !== body) this.complaints.push(`${id} has changed`);
      this.transactions.set(id, known);
      if ([...this.transactions.keys()].at(-1) !== id) this.complaints.push(`${id} comes after a later one`);
      if (this.#state === "unheard") return { failure: "timeout", why: "the answer was lost" };
      return outsideJson({});
    };
    return { fetch };
  }
}

test("whenever the homeserver ends, a service gets each event and message to a device once, and in the end the right counts", async () => {
  // Each failure is told of.
  vi.spyOn(console, "warn").mockImplementation(() => undefined);
  vi.spyOn(console, "error").mockImplementation(() => undefined);
  onTestFinished(() => void vi.restoreAllMocks());
  await fc.assert(
    fc.asyncProperty(fc.array(command, { minLength: 5, maxLength: 15 }), async (commands) => {
      const trial = await new Trial().begin();
      for (const each of commands) await trial.carryOut(each);
      await trial.end();
      expect(trial.complaints).toEqual([]);
      expect(trial.told("body")).toEqual(trial.said);
      expect(trial.told("n")).toEqual(trial.messages);
      expect(await trial.waiting()).toEqual([]);
      await trial.remove();
    }),
    { numRuns: Math.ceil(inject("roomRuns") / 12) },
  );
}, 120_000);
