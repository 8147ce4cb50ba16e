import type { Mailbox } from "../../mailbox/api.ts";
import type { MailboxLimits } from "../../mailbox/room.ts";
import { fromNow, type Nats, persist } from "../nats.ts";
import { openStream } from "../streams.ts";
import { tokenOf } from "../tokens.ts";
import { OwnerMailbox } from "./owner-mailbox.ts";
import { openPieces } from "./pieces.ts";

export type NatsMailboxOptions = {
  limits: MailboxLimits;
  /** Milliseconds that mail is kept. */
  retention: number;
  report(error: unknown): void;
};

/** What is held in memory of all mailboxes together: entries and what is remembered, at some 150 bytes each. */
const HELD = 500_000;
/** Mailboxes that expiry looks at together. */
const TOGETHER = 16;

/**
 * Mailboxes in two JetStream streams: one with the records of all owners, each under a subject of its own, and one with
 * the bodies that are too large for a record. Any relay may write to any mailbox.
 */
export async function natsMailbox(nats: Nats, options: NatsMailboxOptions): Promise<Mailbox> {
  const { prefix } = nats;
  const [mail, bodies] = [`${prefix}-mail`, `${prefix}-bodies`];
  const [log, snapshots] = [`${prefix}.mail`, `${prefix}.snapshots`];
  await openStream(nats, { name: mail, subjects: [`${log}.*`, `${snapshots}.>`] });
  // A body whose entry was never stored, or not dropped, goes by its age; those of entries are dropped long before.
  const maxAge = 2 * options.retention + 86_400_000;
  await openStream(nats, { name: bodies, subjects: [`${prefix}.bodies.>`], maxAge });

  const parts = {
    nats,
    stream: mail,
    subject: log,
    snapshots: openPieces(nats, mail, snapshots),
    bodies: openPieces(nats, bodies, `${prefix}.bodies`),
    ...options,
  };
  const held = new Map<string, OwnerMailbox>();

  const byToken = (token: string): OwnerMailbox => {
    const found = held.get(token) ?? new OwnerMailbox(parts, token);
    // To the end: the first ones are those that were not asked for the longest time.
    held.delete(token);
    held.set(token, found);
    return found;
  };
  const of = (owner: string) => {
    letGo(held);
    return byToken(tokenOf(owner));
  };

  return {
    put: (owner, one) => of(owner).put(one),
    next: (owner, after) => of(owner).next(after),
    acknowledge: (owner, upTo) => of(owner).acknowledge(upTo),
    backlog: async (owner) => {
      const { entries, bytes } = await of(owner).used();
      return { entries, bytes };
    },
    expire: async (before) => {
      const tokens = await ownersOf(nats, mail, log);
      let total = 0;
      for (let from = 0; from < tokens.length; from += TOGETHER) {
        letGo(held);
        const some = tokens.slice(from, from + TOGETHER);
        const counts = await Promise.all(some.map((token) => byToken(token).expire(before)));
        total += counts.reduce((sum, count) => sum + count, 0);
      }
      return total;
    },
  };
}

/** Forgets mailboxes that nobody uses just now, the longest unused first, down to what may be held. */
function letGo(held: Map<string, OwnerMailbox>): void {
  let weight = 0;
  for (const one of held.values()) weight += one.weight;
  for (const [token, one] of held) {
    if (weight <= HELD) return;
    if (!one.idle) continue;
    weight -= one.weight;
    held.delete(token);
  }
}

async function ownersOf({ manager }: Nats, stream: string, subject: string): Promise<string[]> {
  const query = { subjects_filter: `${subject}.*` };
  const { state } = await persist(() => manager.streams.info(stream, query), fromNow());
  return Object.keys(state.subjects ?? {}).map((found) => found.slice(subject.length + 1));
}
