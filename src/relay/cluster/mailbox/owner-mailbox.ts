import { nuid } from "@nats-io/transport-node";
import type { Entry, Mail, Put, Taken } from "../../mailbox/api.ts";
import type { MailboxLimits, Used } from "../../mailbox/room.ts";
import { batchLength, decide, isLarge, operationsFor, type Putting, puttingOf } from "./batch.ts";
import { type LogParts, MailboxLog } from "./log.ts";
import type { Pieces } from "./pieces.ts";
import type { Operation } from "./record.ts";
import type { Kept, MailboxState } from "./state.ts";

export type OwnerParts = LogParts & {
  bodies: Pieces;
  limits: MailboxLimits;
  /** Told what goes wrong behind an answer that was given, or is not as it was stored. */
  report(error: unknown): void;
};

type Waiting = { putting: Putting; resolve(put: Put): void; reject(error: unknown): void };

/** The mailbox of one owner, as one relay of several sees it. What is asked of it here is done one after the other. */
export class OwnerMailbox {
  readonly #parts: OwnerParts;
  readonly #owner: string;
  readonly #log: MailboxLog;
  #waiting: Waiting[] = [];
  /** The end of what was asked so far. Never fails. */
  #last: Promise<unknown> = Promise.resolve();
  #busy = 0;

  constructor(parts: OwnerParts, owner: string) {
    this.#parts = parts;
    this.#owner = owner;
    this.#log = new MailboxLog(parts, owner);
  }

  get idle(): boolean {
    return this.#busy === 0;
  }

  get weight(): number {
    return this.#log.state.weight;
  }

  /** Those that come while others are written share a record. */
  put(mail: Mail): Promise<Put> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ putting: puttingOf(mail), resolve, reject });
      if (this.#waiting.length === 1) void this.#inTurn(() => this.#putWaiting());
    });
  }

  next(after: number): Promise<Taken | undefined> {
    return this.#inTurn(async () => {
      for (;;) {
        await this.#log.refresh();
        const found = this.#log.state.after(after);
        if (found === undefined) return undefined;
        const entry = await this.#read(found.kept);
        if (entry !== undefined) return { entry, more: found.more };
      }
    });
  }

  acknowledge(upTo: number): Promise<void> {
    // Ids are given once: one that was not given yet acknowledges what there is.
    return this.#inTurn(async () => {
      await this.#change(
        (state) => state.upTo(upTo).length > 0,
        { type: "acknowledge", upTo },
        () => undefined,
      );
    });
  }

  used(): Promise<Readonly<Used>> {
    return this.#inTurn(async () => {
      await this.#log.refresh();
      return { ...this.#log.state.used };
    });
  }

  expire(before: number): Promise<number> {
    return this.#inTurn(async () => {
      let count = 0;
      await this.#change(
        (state) => state.before(before).length > 0 || state.remembersBefore(before),
        { type: "expire", before },
        (state) => {
          count = state.before(before).length;
        },
      );
      return count;
    });
  }

  /** Stores one operation, where there is something for it to do. */
  async #change(
    isNeeded: (state: MailboxState) => boolean,
    operation: Operation,
    look: (state: MailboxState) => void,
  ): Promise<void> {
    await this.#log.refresh();
    while (isNeeded(this.#log.state)) {
      look(this.#log.state);
      const done = await this.#log.append([operation]);
      if (done === undefined) continue;
      this.#dropBodies(done.bodies);
      break;
    }
  }

  async #putWaiting(): Promise<void> {
    while (this.#waiting.length > 0) {
      const length = batchLength(this.#waiting.map(({ putting }) => putting));
      const batch = this.#waiting.slice(0, length);
      try {
        const outcomes = await this.#putAll(batch.map(({ putting }) => putting));
        // Before others are told: whoever asks then is a turn of its own.
        this.#waiting = this.#waiting.slice(length);
        for (const [index, { resolve }] of batch.entries()) resolve(outcomes[index] as Put);
      } catch (error) {
        this.#waiting = this.#waiting.slice(length);
        for (const { reject } of batch) reject(error);
      }
    }
  }

  async #putAll(puttings: Putting[]): Promise<Put[]> {
    // What is refused is refused on what is there; what is stored is stored only if that was known anyway.
    let fresh = false;
    try {
      for (;;) {
        const outcomes = decide(this.#log.state, puttings, this.#parts.limits);
        const stored = puttings.filter((_, index) => outcomes[index] === "stored");
        if (!fresh && stored.length < puttings.length) {
          await this.#log.refresh();
          fresh = true;
          continue;
        }
        if (stored.length > 0) {
          for (const putting of stored) if (isLarge(putting)) await this.#storeApart(putting);
          const { operations, bodies } = operationsFor(this.#log.state.lastId, stored);
          const done = await this.#log.append(operations, bodies);
          fresh = true;
          if (done === undefined) continue;
        }
        // Stored before it came out that there is no room any more.
        const refused = puttings.filter((_, index) => outcomes[index] !== "stored");
        this.#dropBodies(refused.flatMap(({ body }) => body?.key ?? []));
        return outcomes;
      }
    } finally {
      if (this.#log.state.wantsSnapshot) void this.#inTurn(() => this.#compact());
    }
  }

  async #storeApart(putting: Putting): Promise<void> {
    if (putting.body !== undefined) return;
    const key = nuid.next();
    const { pieces } = await this.#parts.bodies.write(this.#owner, key, putting.mail.body);
    putting.body = { key, pieces };
  }

  /** @returns undefined when it is gone meanwhile, so that it has to be looked again */
  async #read({ id, at }: Kept): Promise<Entry | undefined> {
    const read = await this.#log.read(at);
    const put = read?.step.operations.find((operation) => operation.type === "put" && operation.id === id);
    if (read === undefined || put?.type !== "put") return undefined;
    const { origin, txnId, method, uri, authorization, receivedAt, verified, inline, body } = put;
    const bytes = inline
      ? read.bodies.slice(inline.from, inline.from + inline.length)
      : body && (await this.#parts.bodies.read(this.#owner, body.key, body.pieces));
    if (bytes !== undefined)
      return { id, origin, txnId, method, uri, authorization, body: bytes, receivedAt, verified };
    await this.#log.refresh();
    if (!this.#log.state.entries.has(id)) return undefined;
    // It is older than anything is kept, or the servers have lost it: nobody can have it, and others wait behind it.
    this.#parts.report(new Error(`The body of an entry is not there any more (${id} of ${this.#owner}).`));
    await this.#log.append([{ type: "lost", id }]);
    return undefined;
  }

  async #compact(): Promise<void> {
    if (!this.#log.state.wantsSnapshot) return;
    await this.#log.compact().catch(this.#parts.report);
  }

  /** Nobody waits for that; what stays goes with its age. */
  #dropBodies(keys: readonly string[]): void {
    for (const key of keys) this.#parts.bodies.drop(this.#owner, key).catch(this.#parts.report);
  }

  #inTurn<T>(act: () => Promise<T>): Promise<T> {
    this.#busy++;
    const done = this.#last.then(act);
    this.#last = done.then(
      () => this.#busy--,
      () => this.#busy--,
    );
    return done;
  }
}
