import { MatrixError } from "../../../matrix/errors.ts";
import { isUserId, serverNameOf } from "../../../matrix/identifiers.ts";
import type { ReceivedEvent } from "../../../matrix/received-event.ts";
import type { Names } from "../../storage/api.ts";
import type { EventStore } from "../event-store.ts";
import type { Memberships } from "../memberships.ts";
import { MERGE_EVENT } from "../merge-event.ts";
import { type Author, type PlanBase, RoomPlan } from "../plan.ts";
import type { Extremity, RoomHead } from "../room-head.ts";
import type { SnapshotStore } from "../snapshots.ts";
import { lookupIn } from "../state/lookup.ts";
import type { StateResolver } from "../state/resolver.ts";
import type { Taken } from "./take-event.ts";

/** Forward extremities that a room may have before they are merged: each makes every state resolution dearer. */
export const MOST_EXTREMITIES = 10;
/** How many one event merges. */
const MERGED_AT_ONCE = 10;
/** Members from here that are tried as its sender: most rooms let everybody send. */
const TRIED = 5;

export type MergerParts = {
  names: Names;
  events: EventStore;
  snapshots: SnapshotStore;
  resolver: StateResolver;
  memberships: Memberships;
  author: Author;
  now: () => number;
};

/** Keeps a room's forward extremities few, by events of its own that are built upon many of them. */
export class ExtremityMerger {
  readonly #parts: MergerParts;

  constructor(parts: MergerParts) {
    this.#parts = parts;
  }

  /**
   * @param take - takes in an event that merges some
   * @returns what has become of these; nothing where nobody from here may send in the room
   */
  async merge(head: RoomHead, take: (event: ReceivedEvent) => Promise<Taken>): Promise<Taken[]> {
    const taken: Taken[] = [];
    while (head.extremities.length > MOST_EXTREMITIES) {
      const before = head.extremities.length;
      const event = await this.#mergeOf(head, head.extremities.slice(0, MERGED_AT_ONCE));
      if (event === undefined) break;
      taken.push(await take(event));
      // The room does not take it: nothing is gained by another.
      if (head.extremities.length >= before) break;
    }
    return taken;
  }

  async #mergeOf(head: RoomHead, extremities: Extremity[]): Promise<ReceivedEvent | undefined> {
    const { names, events, snapshots, resolver, author, now } = this.#parts;
    const states = await Promise.all(extremities.map(({ stateAfter }) => snapshots.chain(stateAfter)));
    const lookup = lookupIn({ names, events }, await resolver.resolve(head, states));
    const base: PlanBase = {
      roomId: head.roomId,
      rules: head.rules,
      extremities,
      depth: Math.max(...extremities.map(({ pdu }) => pdu.depth)),
      state: async (type, stateKey) => (await lookup([[type, stateKey]]))[0],
    };
    for (const sender of await this.#senders(head)) {
      try {
        const plan = new RoomPlan(base, author);
        const { eventId, pdu, json } = await plan.add({ type: MERGE_EVENT, sender, content: {}, ts: now() });
        return { eventId, pdu, json } as ReceivedEvent;
      } catch (error) {
        if (!(error instanceof MatrixError)) throw error;
        // This one may not send there: the next may.
      }
    }
    return undefined;
  }

  async #senders(head: RoomHead): Promise<string[]> {
    const senders: string[] = [];
    for (const userId of await this.#parts.memberships.joined(head.nid)) {
      if (isUserId(userId) && serverNameOf(userId) === this.#parts.author.serverName) senders.push(userId);
      if (senders.length === TRIED) break;
    }
    return senders;
  }
}
