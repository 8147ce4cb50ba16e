import { MatrixError } from "../../../matrix/errors.ts";
import type { ReceivedEvent } from "../../../matrix/received-event.ts";
import { roomIdOfPdu } from "../../../matrix/transactions.ts";
import type { InputVerdict } from "../../room/input/api.ts";
import type { PduResults } from "../api.ts";
import type { FederationContext } from "../context.ts";
import type { KnownRoom, KnownRooms } from "../known-rooms.ts";
import { readEvents } from "../read-events.ts";
import type { TakeRescinded } from "./api.ts";
import { sortBySignature } from "./signatures.ts";

/** Milliseconds that a transaction waits for keys of servers; events of which none came wait by themselves then. */
const KEY_TIME_MS = 2_000;

/** What became of a transaction's PDUs. `held`: those of a room that cannot be taken in yet. */
export type TakenPdus = { results: PduResults; held: { room: KnownRoom; events: ReceivedEvent[] }[] };

type Parts = Pick<FederationContext, "roomInput" | "roomQueries" | "keyRing" | "later"> & {
  knownRooms: KnownRooms;
  rescinded: TakeRescinded;
};

/** Takes in the PDUs of one transaction. Rooms do not wait for one another, and what fails in one is its own. */
export class PduTaker {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /**
   * Each event is stored when this resolves, or among those that are held, or dropped: then the results say why, unless
   * it is of a room that is not known, or of no form, where nobody can tell the event's id.
   * @throws MatrixError 507 when the disk is full
   */
  async take(origin: string, texts: readonly string[]): Promise<TakenPdus> {
    const taken: TakenPdus = { results: {}, held: [] };
    const rooms = await this.#byRoom(origin, texts);
    await Promise.all([...rooms].map(([room, pdus]) => this.#takeRoom(origin, room, pdus, taken)));
    return taken;
  }

  async #byRoom(origin: string, texts: readonly string[]): Promise<Map<KnownRoom, string[]>> {
    const { knownRooms, rescinded } = this.#parts;
    const found = new Map<KnownRoom, string[]>();
    for (const text of texts) {
      const roomId = roomIdOfPdu(text);
      if (roomId === undefined) continue;
      const room = await knownRooms.find(roomId);
      if (room === undefined) await rescinded(origin, text);
      else {
        const pdus = found.get(room) ?? [];
        found.set(room, pdus);
        pdus.push(text);
      }
    }
    return found;
  }

  async #takeRoom(
    origin: string,
    room: KnownRoom,
    texts: readonly string[],
    { results, held }: TakenPdus,
  ): Promise<void> {
    const { keyRing, later, roomInput } = this.#parts;
    const events = readEvents(texts, room);
    const say = (event: ReceivedEvent, error?: string) => {
      results[event.eventId] = error === undefined ? {} : { error };
    };
    if (!(await this.#isAllowed(origin, room.roomId))) {
      for (const event of events) say(event, "The room's access control list keeps your server out.");
      return;
    }
    const { good, bad, unknown } = await sortBySignature(keyRing, later, {
      ...{ events, rules: room.rules, origin, ms: KEY_TIME_MS },
    });
    for (const { event, why } of bad) say(event, why);
    const waiting = [...unknown];
    try {
      const verdicts = good.length === 0 ? [] : await roomInput.receive(room.roomId, good);
      waiting.push(...good.filter((_, i) => isMissing(verdicts[i])));
    } catch (error) {
      if (error instanceof MatrixError && error.status === 507) throw error;
      if (error instanceof MatrixError && error.status === 404) {
        for (const event of good) say(event, "This server is not in the room any more.");
        return;
      }
      // What is wrong with one room must not keep the others' events from coming in.
      console.error(`hearth: events of the room ${room.roomId} could not be taken in; tried again later`, error);
      waiting.push(...good);
    }
    // A rejected event has been dealt with, as far as its sender is concerned.
    for (const event of [...good, ...unknown]) say(event);
    if (waiting.length > 0) held.push({ room, events: waiting });
  }

  /** A room that is gone by now keeps nobody out: nothing is found of it either. */
  async #isAllowed(origin: string, roomId: string): Promise<boolean> {
    try {
      return await this.#parts.roomQueries.isServerAllowed(roomId, origin);
    } catch (error) {
      if (error instanceof MatrixError && error.status === 404) return true;
      throw error;
    }
  }
}

const isMissing = (verdict: InputVerdict | undefined) => verdict?.outcome === "missing";
