import type { NextMsgRequest, StoredMsg } from "@nats-io/jetstream";
import { nuid } from "@nats-io/transport-node";
import { fromNow, isConflict, isPassing, type Nats, persist, rest } from "../nats.ts";
import type { Pieces } from "./pieces.ts";
import { decodeRecord, encodeRecord, type Operation, type Step } from "./record.ts";
import { MailboxState } from "./state.ts";

export type LogParts = { nats: Nats; stream: string; subject: string; snapshots: Pieces };

type Read = { at: number; step: Step; bodies: Uint8Array };

/**
 * The records of one mailbox, all under one subject. Each is stored only if the one that its writer has read before is
 * still the last one: so all relays may write, and every record is decided on what is really there.
 */
export class MailboxLog {
  /** As of the last record that was read or written here. */
  state = new MailboxState();
  readonly #parts: LogParts;
  readonly #owner: string;
  readonly #subject: string;
  #loaded = false;

  constructor(parts: LogParts, owner: string) {
    this.#parts = parts;
    this.#owner = owner;
    this.#subject = `${parts.subject}.${owner}`;
  }

  /**
   * Reads what others have written.
   * @param nonce - looks whether a record with it is among them
   */
  async refresh(nonce?: string, until = fromNow()): Promise<boolean> {
    let seen = false;
    if (!this.#loaded) seen = await this.#load(nonce, until);
    for (;;) {
      const read = await this.#next(this.state.tip + 1, until);
      if (read === undefined) return seen;
      const { previous, nonce: writer } = read.step;
      if (previous === this.state.at) {
        this.#count(read);
        if (writer === nonce) seen = true;
      } else if (previous > this.state.at) {
        // Others have written a snapshot meanwhile, and removed what is before it.
        if (await this.#load(nonce, until)) seen = true;
        // Two were stored on top of the same one (NATS 2.9 does so, in a cluster, when they come together): the first counts.
      } else this.state.tip = read.at;
    }
  }

  /**
   * Stores a step.
   * @returns what it has dropped; undefined when others have written before, and it has to be decided anew, on what has
   *   been read of theirs
   * @throws when it is not known whether it is stored, and nobody answers any more
   */
  async append(
    operations: Operation[],
    bodies: readonly Uint8Array[] = [],
    snapshot?: Step["snapshot"],
  ): Promise<{ bodies: string[] } | undefined> {
    const { at: previous, tip, base } = this.state;
    const nonce = nuid.next();
    const step: Step = { previous, base, nonce, operations, ...(snapshot && { snapshot }) };
    const record = encodeRecord(step, bodies);
    const until = fromNow();
    const dropped = operations.flatMap((operation) => droppedBy(this.state, operation));
    for (;;) {
      let conflict = false;
      try {
        const expect = { lastSubjectSequence: tip };
        await this.#parts.nats.jetstream.publish(this.#subject, record, { expect });
        // Whether it counts is seen by what is before it.
        conflict = true;
      } catch (error) {
        conflict = isConflict(error);
        if (!conflict) {
          if (!isPassing(error) || performance.now() >= until) throw error;
          await rest();
        }
      }
      // It may have been stored though nobody has said so: then it is among what is read now, or comes late. Late it is
      // refused once this same record, or another one, is there.
      if (await this.refresh(nonce, until)) return { bodies: dropped };
      if (conflict || this.state.tip !== tip) return undefined;
    }
  }

  /** The record with this number; undefined when it is gone. */
  async read(at: number): Promise<Read | undefined> {
    const { nats, stream } = this.#parts;
    return decode(await persist(() => nats.manager.streams.getMessage(stream, { seq: at })));
  }

  /** Writes down what all records come to, and removes those that nobody needs any more. */
  async compact(): Promise<void> {
    const { nats, stream, snapshots } = this.#parts;
    const key = nuid.next();
    const bytes = new TextEncoder().encode(this.state.snapshot());
    const { pieces, first } = await snapshots.write(this.#owner, key, bytes);
    if ((await this.append([], [], { key, pieces })) === undefined) return snapshots.drop(this.#owner, key);
    const { at, entries } = this.state;
    const needed = [...entries.values()].reduce((least, kept) => Math.min(least, kept.at), at);
    await persist(() => nats.manager.streams.purge(stream, { filter: this.#subject, seq: needed }));
    await snapshots.dropBefore(this.#owner, first);
  }

  #count({ at, step }: Read): void {
    for (const operation of step.operations) this.state.apply(operation, at);
    this.state.at = at;
    this.state.tip = at;
    this.state.since++;
    if (step.snapshot === undefined) return;
    this.state.base = at;
    this.state.since = 0;
  }

  /** Starts from the latest snapshot. */
  async #load(nonce: string | undefined, until: number): Promise<boolean> {
    const { nats, stream, snapshots } = this.#parts;
    for (;;) {
      const query = { last_by_subj: this.#subject };
      const last = decode(await persist(() => nats.manager.streams.getMessage(stream, query), until));
      this.#loaded = true;
      const at = last?.step.snapshot === undefined ? (last?.step.base ?? 0) : last.at;
      if (at === 0) {
        this.state = new MailboxState();
        return false;
      }
      const base = at === last?.at ? last : await this.read(at);
      const { key, pieces } = base?.step.snapshot ?? { key: "", pieces: 0 };
      const bytes = base && (await snapshots.read(this.#owner, key, pieces));
      if (base !== undefined && bytes !== undefined) {
        this.state = MailboxState.from(new TextDecoder().decode(bytes));
        this.state.at = at;
        this.state.tip = at;
        this.state.base = at;
        return base.step.nonce === nonce;
      }
      // There is a later one by now, or the stream has lost something that it had stored.
      this.#loaded = false;
      if (performance.now() >= until) throw new Error("A snapshot of a mailbox is missing.");
    }
  }

  async #next(from: number, until: number): Promise<Read | undefined> {
    const { nats, stream } = this.#parts;
    const query: NextMsgRequest = { seq: from, next_by_subj: this.#subject };
    // The client's types have this for direct gets only; the leader knows it as well, and is the one to ask.
    const ask = () => nats.manager.streams.getMessage(stream, query as unknown as { seq: number });
    return decode(await persist(ask, until));
  }
}

function decode(message: StoredMsg | null): Read | undefined {
  return message === null ? undefined : { at: message.seq, ...decodeRecord(message.data) };
}

/** The bodies that lie apart of those that this drops. */
function droppedBy(state: MailboxState, operation: Operation): string[] {
  const dropped =
    operation.type === "acknowledge"
      ? state.upTo(operation.upTo)
      : operation.type === "expire"
        ? state.before(operation.before)
        : [];
  return dropped.flatMap(({ body }) => body ?? []);
}
