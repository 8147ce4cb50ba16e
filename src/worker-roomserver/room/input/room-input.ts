import type { ReceivedEvent } from "../../../matrix/received-event.ts";
import { Breath } from "../../node/breathe.ts";
import type { KeyedLock } from "../../node/keyed-lock.ts";
import { later, once } from "../../node/later.ts";
import { CommitSuperseded } from "../../storage/errors.ts";
import type { RoomHeads } from "../room-head.ts";
import type { InputVerdict, ReceiveOptions, RoomInput, WholeRoom } from "./api.ts";
import { HistoryPlaces } from "./history-places.ts";
import { allReferences, inOrder } from "./in-order.ts";
import { judgeAgain } from "./judge-again.ts";
import type { ExtremityMerger } from "./merge.ts";
import { EventTaker, type TakeOptions, type TakingParts } from "./take-event.ts";
import type { WholeRoomTaker } from "./whole-room.ts";

/** How often events are judged anew because a write that this was based on has failed. */
const ATTEMPTS = 3;

/** Events taken in before others may have the room's lock: a local user's message must not wait for thousands. */
const AT_ONCE = 50;
/** Events of which it is found out together whether they are known: a multiple of the above. */
const LOOKED_UP = 500;

export type RoomInputParts = TakingParts & {
  heads: RoomHeads;
  locks: KeyedLock<string>;
  merger: ExtremityMerger;
  /** Makes room for a room that is not known here, in its lock: what is left of an earlier life goes. */
  clear: (roomId: string) => Promise<void>;
};

const wholeRooms = later(() => import("./whole-room.ts"));

/** Takes in what other servers have sent. */
export class RoomServerInput implements RoomInput {
  readonly #parts: RoomInputParts;
  readonly #taker: EventTaker;
  readonly #rooms: () => Promise<WholeRoomTaker>;

  constructor(parts: RoomInputParts) {
    this.#parts = parts;
    this.#taker = new EventTaker(parts);
    this.#rooms = once(async () => new (await wholeRooms()).WholeRoomTaker(parts, this.#taker));
  }

  async receive(
    roomId: string,
    events: readonly ReceivedEvent[],
    options: ReceiveOptions = {},
  ): Promise<InputVerdict[]> {
    const ordered = inOrder(events, allReferences);
    const verdicts = await this.#untilItHolds(async () => {
      const verdicts = new Map<string, InputVerdict>();
      const durable: Promise<void>[] = [];
      const { nid } = await this.#parts.heads.get(roomId);
      const places = await HistoryPlaces.of(this.#parts, nid, ordered);
      for (let first = 0; first < ordered.length; first += AT_ONCE) {
        if (first % LOOKED_UP === 0) await this.#lookUp(ordered.slice(first, first + LOOKED_UP));
        const some = ordered.slice(first, first + AT_ONCE);
        for (const verdict of await this.#takeSome(roomId, some, { ...options, places }, durable)) {
          verdicts.set(verdict.eventId, verdict);
        }
      }
      // A duplicate may be one of what is still on its way to the disk, so that this is waited for in any case.
      await this.#parts.storage.hurried();
      // Once for all: what comes after a write that fails is found missing or refused, and this tells why.
      const settled = await Promise.allSettled(durable);
      const failure = settled.find((one) => one.status === "rejected");
      if (failure !== undefined) throw failure.reason;
      return verdicts;
    });
    return events.map(({ eventId }) => verdicts.get(eventId)!);
  }

  /** One look for many, rather than one for each when it is its turn. */
  async #lookUp(events: readonly ReceivedEvent[]): Promise<void> {
    await this.#parts.events.byIds(events.map(({ eventId }) => eventId));
  }

  takeInRoom(room: WholeRoom): Promise<InputVerdict> {
    return this.#untilItHolds(async () => (await this.#rooms()).take(room));
  }

  /** Does it again where memory that it rested on turns out to be void. */
  async #untilItHolds<T>(run: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await run();
      } catch (error) {
        if (!(error instanceof CommitSuperseded) || attempt === ATTEMPTS) throw error;
      }
    }
  }

  /** @param durable - what has been written is added: these resolve when it is on the disk */
  async #takeSome(
    roomId: string,
    events: readonly ReceivedEvent[],
    options: TakeOptions,
    durable: Promise<void>[],
  ): Promise<InputVerdict[]> {
    const { locks, heads, merger } = this.#parts;
    const breath = new Breath();
    return locks.run(roomId, async () => {
      const head = await heads.own(roomId);
      const verdicts: InputVerdict[] = [];
      for (const event of events) {
        const taken = await this.#taker.take(head, event, options);
        verdicts.push(taken.verdict);
        durable.push(...(await judgeAgain(this.#parts.events, this.#taker, head, taken)));
        await breath.take();
      }
      const merged = await merger.merge(head, (event) => this.#taker.take(head, event, {}));
      for (const taken of merged) {
        durable.push(...(await judgeAgain(this.#parts.events, this.#taker, head, taken)));
      }
      return verdicts;
    });
  }
}
