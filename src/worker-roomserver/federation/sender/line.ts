import type { Position } from "../../storage/schema.ts";
import type { Edu, OutgoingEdus } from "../api.ts";
import type { FederationContext } from "../context.ts";
import { leaveAt, type Outcome, sendTo } from "./deliver.ts";
import { EphemeralEdus } from "./ephemeral.ts";
import type { Lanes } from "./lanes.ts";
import type { RelaysOfServers } from "./relays-of-servers.ts";
import {
  isStillWaiting,
  MAX_THINGS,
  makeTransaction,
  type Plan,
  planNext,
  type Transaction,
  type TransactionSources,
  transactionBody,
} from "./transaction.ts";
import { Waiting } from "./waiting.ts";

export type LineOptions = Pick<
  FederationContext,
  "storage" | "serverName" | "client" | "destinations" | "now" | "later"
> & {
  sources: Omit<TransactionSources, "edus"> & { edus: OutgoingEdus };
  lanes: Lanes;
  relays: RelaysOfServers;
  /** A transaction id that was never used before. */
  newTransactionId: () => string;
  /** Failures in a row after which what waits goes to the server's relays. */
  assumedOfflineAfter: number;
};

/** A server that has not answered for so long gets the newest of each room when it is back. As Synapse has it. */
const LONG_AWAY_MS = 60 * 60_000;
/** A server that is there and wants nothing now is asked again after that, at first and at most. */
const PUT_OFF_MS = { first: 60_000, most: 60 * 60_000 };
/** After a failure here, which may be for lack of space. */
const AFTER_FAULT_MS = 30_000;

/** A transaction that was sent and has not been taken, or may have been. */
type Attempt = { id: string; at: number; contents: string; plan: Plan };

/**
 * Sends one server what waits for it: one transaction at a time, each until it is taken, under the same id as long as it
 * is the same. After a crash what was under way is sent again in a transaction of another id. Nothing is lost by that, as
 * a row goes only once it was taken; and what was taken is known by its event id there, or by its message's.
 */
export class Line {
  readonly #with: LineOptions;
  readonly #server: string;
  readonly #ephemeral = new EphemeralEdus();
  #waiting: Promise<Waiting> | undefined;
  /** What memory has may have been ahead of the disk: it is read from there, once all is in it. */
  #isVoid = false;
  #hasMessages = false;
  /** The server has the messages up to here. */
  #messagesTaken: Position = 0;
  #attempt: Attempt | undefined;
  /** How much it is sent at once. */
  #most = MAX_THINGS;
  #running = false;
  /** Something has come up since the run that is under way looked. */
  #isAsked = false;
  #isStopped = false;
  readonly #relaysAsked = new Set<string>();
  #lastRefusal = "";
  /** How often in a row it has put off what it was sent, and until when it gets nothing for that. */
  #putOff = { times: 0, until: 0 };

  constructor(options: LineOptions, server: string) {
    this.#with = options;
    this.#server = server;
  }

  /** What it had against the last transaction that it did not take whole; "" for nothing. */
  get lastRefusal(): string {
    return this.#lastRefusal;
  }

  /** Until when it is sent nothing as it wanted nothing, in milliseconds since 1970; 0 if it did not say so. */
  get putOffUntil(): number {
    return this.#putOff.until;
  }

  get ephemeralCount(): number {
    return this.#ephemeral.size;
  }

  /** What must not be lost. From memory after the first call. */
  waiting(): Promise<Waiting> {
    this.#waiting ??= this.#load();
    return this.#waiting;
  }

  addEphemeral(edu: Edu, key: string | undefined): void {
    this.#ephemeral.add(edu, key);
  }

  /** Messages wait in their store. */
  messagesCame(): void {
    this.#hasMessages = true;
  }

  /** What is on the disk counts from now on. */
  forget(): void {
    this.#waiting = undefined;
    this.#isVoid = true;
  }

  /** The owner wants it tried now. */
  retryNow(): void {
    this.#putOff = { ...this.#putOff, until: 0 };
    this.wake();
  }

  /** Sends what there is, if the server can be reached. */
  wake(): void {
    this.#isAsked = true;
    if (this.#running || this.#isStopped) return;
    this.#run().catch((error: unknown) => {
      if (this.#isStopped) return;
      console.error(`hearth: what ${this.#server} is to be sent waits`, error);
      this.#with.later(AFTER_FAULT_MS, () => this.wake());
    });
  }

  /** Sends and writes nothing more, but for what is on its way. */
  stop(): void {
    this.#isStopped = true;
  }

  async #load(): Promise<Waiting> {
    const { storage } = this.#with;
    if (this.#isVoid) await storage.flushed();
    this.#isVoid = false;
    return Waiting.load(storage, this.#server);
  }

  async #run(): Promise<void> {
    this.#running = true;
    try {
      while (this.#isAsked && !this.#isStopped) {
        this.#isAsked = false;
        while (!this.#isStopped && (await this.#step()));
      }
    } finally {
      this.#running = false;
    }
  }

  /** @returns whether there may be more to do at once */
  async #step(): Promise<boolean> {
    const { destinations, lanes } = this.#with;
    const waiting = await this.waiting();
    const hasDurable = !waiting.isEmpty || this.#hasMessages;
    if (!hasDurable && this.#ephemeral.size === 0) return false;
    if (this.#putOff.until > this.#with.now()) return false;
    const isReady = await destinations.isReady(this.#server);
    if (!isReady && !(hasDurable && (await this.#isAtRelays()))) return false;
    const { failures } = await destinations.state(this.#server);
    const leave = await lanes.enter(failures === 0 ? "sound" : "doubtful");
    try {
      return !this.#isStopped && (await this.#send(isReady));
    } finally {
      leave();
    }
  }

  async #send(isReady: boolean): Promise<boolean> {
    const { now, serverName, newTransactionId, sources } = this.#with;
    const waiting = await this.waiting();
    const ephemeral = isReady ? this.#ephemeral.take() : [];
    const plan = this.#planIn(waiting);
    // A message that comes while they are read is asked for afterwards.
    if (plan.messages > 0) this.#hasMessages = false;
    let isTaken = false;
    try {
      const made = await makeTransaction(sources, this.#server, plan, this.#messagesTaken);
      if (made.pdus.length + made.edus.length + ephemeral.length === 0) {
        isTaken = true;
        return (await this.#done(waiting, made)) > 0;
      }
      const { contents } = made;
      if (this.#attempt?.contents !== contents) {
        this.#attempt = { id: newTransactionId(), at: now(), contents, plan };
      }
      const { id, at } = this.#attempt;
      const body = (edus: readonly Edu[]) =>
        transactionBody(made, { origin: serverName, at, ephemeral: edus });
      const outcome = await this.#deliver(id, isReady ? body(ephemeral) : undefined, () => body([]));
      if (this.#isStopped) return false;
      isTaken = await this.#follow(outcome, waiting, made, ephemeral.length > 0);
      return isTaken || outcome.outcome === "refused";
    } finally {
      if (!isTaken && plan.messages > 0) this.#hasMessages = true;
    }
  }

  #planIn(waiting: Waiting): Plan {
    const before = this.#attempt?.plan;
    if (before !== undefined && isStillWaiting(before, waiting)) return before;
    return planNext(waiting, this.#hasMessages, this.#most);
  }

  /** @returns whether what was in the transaction does not wait any more */
  async #follow(
    outcome: Outcome,
    waiting: Waiting,
    made: Transaction,
    hadEphemeral: boolean,
  ): Promise<boolean> {
    const { relays, destinations, now } = this.#with;
    switch (outcome.outcome) {
      case "taken":
        this.#putOff = { times: 0, until: 0 };
        this.#lastRefusal = outcome.refusedPdus[0] ?? "";
        this.#most = Math.min(MAX_THINGS, 2 * this.#most);
        await this.#done(waiting, made);
        if (await destinations.isReady(this.#server)) relays.readInTime(this.#server);
        return true;
      case "refused": {
        // Something in it is not to its liking: what that is shows when it gets less and less.
        this.#lastRefusal = outcome.why;
        this.#attempt = undefined;
        const count = made.taken.pdus.length + made.taken.edus.length + (made.messages?.edus.length ?? 0);
        this.#most = Math.max(1, Math.floor(count / 2));
        if (count > 1 || hadEphemeral) return false;
        console.warn(`hearth: ${this.#server} does not take one thing, which is left out: ${outcome.why}`);
        await this.#done(waiting, made);
        return true;
      }
      case "putOff": {
        this.#lastRefusal = outcome.why;
        const times = this.#putOff.times + 1;
        const usual = Math.min(PUT_OFF_MS.most, PUT_OFF_MS.first * 2 ** Math.min(times - 1, 20));
        const ms = Math.min(PUT_OFF_MS.most, Math.max(usual, outcome.afterMs));
        this.#putOff = { times, until: now() + ms };
        this.#with.later(ms, () => this.wake());
        return false;
      }
      case "notSent":
        // The fault is not the server's, and so its return is no sign that it is over.
        this.#with.later(AFTER_FAULT_MS, () => this.wake());
        return false;
      case "failed": {
        // Where it was no failure to whoever counts them, it must not be asked again at once all the same.
        if (await destinations.isReady(this.#server)) destinations.failed(this.#server, outcome.why);
        const { failingSince } = await destinations.state(this.#server);
        if (failingSince > 0 && now() - failingSince > LONG_AWAY_MS) {
          waiting.thin();
          this.#save(waiting);
        }
        return false;
      }
    }
  }

  /** @param toServer - undefined where the server itself is not to be asked */
  async #deliver(
    id: string,
    toServer: ReturnType<typeof transactionBody> | undefined,
    toRelays: () => ReturnType<typeof transactionBody>,
  ): Promise<Outcome> {
    const { client } = this.#with;
    let outcome: Outcome = { outcome: "failed", why: "It did not answer before." };
    if (toServer !== undefined) outcome = await sendTo(client, this.#server, id, toServer);
    if (outcome.outcome !== "failed" || this.#isStopped || !(await this.#isAtRelays())) return outcome;
    // One that hangs must not be asked more and more.
    const relays = await this.#with.relays.of(this.#server);
    const free = relays.filter((relay) => !this.#relaysAsked.has(relay));
    if (free.length === 0) return outcome;
    return firstTaken(free.map((relay) => this.#leaveAt(relay, id, toRelays())));
  }

  async #leaveAt(relay: string, id: string, content: ReturnType<typeof transactionBody>): Promise<Outcome> {
    this.#relaysAsked.add(relay);
    try {
      return await leaveAt(this.#with.client, relay, this.#server, id, content);
    } finally {
      this.#relaysAsked.delete(relay);
    }
  }

  /** Whether the server is taken to be away, and has relays. */
  async #isAtRelays(): Promise<boolean> {
    const { destinations, relays, assumedOfflineAfter } = this.#with;
    const { failures } = await destinations.state(this.#server);
    return failures >= assumedOfflineAfter && (await relays.of(this.#server)).length > 0;
  }

  /** What was in a transaction waits no more. @returns how much that was */
  async #done(waiting: Waiting, { taken, messages }: Transaction): Promise<number> {
    const { storage, sources } = this.#with;
    this.#attempt = undefined;
    waiting.done(taken.pdus, taken.edus);
    this.#save(waiting);
    if (messages !== undefined && messages.edus.length > 0) {
      const { upTo } = messages;
      await storage.commit((write) => sources.edus.messagesTaken(write, this.#server, upTo), {
        relaxed: true,
      });
      this.#messagesTaken = upTo;
      if (messages.hasMore) this.#hasMessages = true;
    }
    return taken.pdus.length + taken.edus.length + (messages?.edus.length ?? 0);
  }

  /** Nobody waits for it: what a crash loses of it is sent once more. */
  #save(waiting: Waiting): void {
    this.#with.storage
      .commit((write) => waiting.save(write), { lazy: true })
      .catch((error: unknown) => {
        if (!this.#isStopped) console.error(`hearth: ${this.#server} may be sent something twice`, error);
      });
  }
}

/** Where one of several has taken it, that is enough; the others need not be waited for. */
async function firstTaken(attempts: readonly Promise<Outcome>[]): Promise<Outcome> {
  const taken = attempts.map(async (attempt) => {
    const outcome = await attempt;
    if (outcome.outcome === "taken") return outcome;
    throw new Error(outcome.why);
  });
  return Promise.any(taken).catch(({ errors }: AggregateError) => ({
    outcome: "failed",
    why: errors.map((error: unknown) => (error instanceof Error ? error.message : String(error))).join(" "),
  }));
}
