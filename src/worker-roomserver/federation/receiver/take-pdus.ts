import { MatrixError } from "../../../matrix/errors.ts";
import type { ReceivedEvent } from "../../../matrix/received-event.ts";
import { roomIdOfPdu } from "../../../matrix/transactions.ts";
import type { InputVerdict } from "../../room/input/api.ts";
import type { PduResults } from "../api.ts";
import type { FederationContext } from "../context.ts";
import type { KnownRoom, KnownRooms } from "../known-rooms.ts";
import { readEvents } from "../read-events.ts";
import type { ReceiverTakers } from "./api.ts";
import { type SignedEvents, sortBySignature } from "./signatures.ts";

/** Milliseconds that a transaction waits for keys of servers; events of which none came wait by themselves then. */
const KEY_TIME_MS = 2_000;

/** A transaction's PDUs by their rooms, and by what their signatures are. `strangers`: those of rooms that nobody is in. */
export type SortedPdus = { rooms: { room: KnownRoom; events: SignedEvents }[]; strangers: StrangePdu[] };
export type StrangePdu = { roomId: string; text: string };

/** What became of a transaction's PDUs. `held`: those of a room that cannot be taken in yet. `arrived`: ids of the others. */
export type TakenPdus = {
  results: PduResults;
  held: { room: KnownRoom; events: ReceivedEvent[] }[];
  arrived: { room: KnownRoom; events: string[] }[];
  /** Those of rooms that nobody from here is in, and which were no end of an invite either. */
  strangers: readonly StrangePdu[];
};

type Parts = Pick<FederationContext, "roomInput" | "roomQueries" | "keyRing" | "later"> & {
  knownRooms: KnownRooms;
} & Pick<ReceiverTakers, "rescinded" | "isInRoom" | "isAllowed">;

/** Takes in the PDUs of one transaction. Rooms do not wait for one another, and what fails in one is its own. */
export class PduTaker {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** What can be done before it is the transaction's turn: it changes nothing. */
  async sort(origin: string, texts: readonly string[]): Promise<SortedPdus> {
    const { keyRing, later } = this.#parts;
    const byRoom = new Map<KnownRoom, string[]>();
    const strangers: StrangePdu[] = [];
    for (const text of texts) {
      const roomId = roomIdOfPdu(text);
      const room = roomId === undefined ? undefined : await this.#find(roomId);
      if (room !== undefined) byRoom.set(room, [...(byRoom.get(room) ?? []), text]);
      else if (roomId !== undefined) strangers.push({ roomId, text });
    }
    const rooms = await Promise.all(
      [...byRoom].map(async ([room, pdus]) => {
        const events = readEvents(pdus, room);
        const signatures = { events, rules: room.rules, origin, ms: KEY_TIME_MS };
        return { room, events: await sortBySignature(keyRing, later, signatures) };
      }),
    );
    return { rooms, strangers };
  }

  /**
   * Each event is stored when this resolves, or among those that are held, or dropped: then the results say why, unless
   * it is of a room that nobody from here is in, or of no form, where nobody can tell the event's id.
   * @throws MatrixError 507 when the disk is full
   */
  async take(origin: string, { rooms, strangers }: SortedPdus): Promise<TakenPdus> {
    const left: StrangePdu[] = [];
    for (const one of strangers) {
      if (!(await this.#parts.rescinded(origin, one.text))) left.push(one);
    }
    const taken: TakenPdus = { results: {}, held: [], arrived: [], strangers: left };
    await Promise.all(rooms.map(({ room, events }) => this.#takeRoom(origin, room, events, taken)));
    return taken;
  }

  async #takeRoom(
    origin: string,
    room: KnownRoom,
    { good, bad, unknown }: SignedEvents,
    { results, held, arrived }: TakenPdus,
  ): Promise<void> {
    const say = (event: ReceivedEvent, error?: string) => {
      results[event.eventId] = error === undefined ? {} : { error };
    };
    for (const { event, why } of bad) say(event, why);
    if (!(await this.#isAllowed(origin, room.roomId))) {
      for (const event of [...good, ...unknown]) say(event, "The room keeps your server out.");
      return;
    }
    const waiting = [...unknown];
    try {
      const verdicts = good.length === 0 ? [] : await this.#receive(room.roomId, good);
      const isMissing = (i: number) => verdicts[i]?.outcome === "missing";
      waiting.push(...good.filter((_, i) => isMissing(i)));
      arrived.push({ room, events: good.filter((_, i) => !isMissing(i)).map(({ eventId }) => eventId) });
    } catch (error) {
      if (error instanceof MatrixError && error.status === 507) throw error;
      if (error instanceof MatrixError && error.status === 404) {
        for (const event of good) say(event, "This server does not know the room any more.");
        return;
      }
      // What is wrong with one room must not keep the others' events from coming in.
      console.error(
        `hearth: events of the room ${room.roomId} could not be taken in; tried again later`,
        error,
      );
      waiting.push(...good);
    }
    // A rejected event has been dealt with, as far as its sender is concerned.
    for (const event of [...good, ...unknown]) say(event);
    if (waiting.length > 0) held.push({ room, events: waiting });
  }

  async #receive(roomId: string, events: readonly ReceivedEvent[]): Promise<InputVerdict[]> {
    const { roomInput, isAllowed } = this.#parts;
    const unwelcome: { [eventId: string]: string } = {};
    await Promise.all(
      events.map(async (event) => {
        const verdict = await isAllowed(roomId, event);
        if (!verdict.isAllowed) unwelcome[event.eventId] = verdict.why;
      }),
    );
    return roomInput.receive(roomId, events, { unwelcome });
  }

  /**
   * What a room has become since all from here have left is not known here, so that its events cannot be judged, and nobody
   * would be shown them.
   */
  async #find(roomId: string): Promise<KnownRoom | undefined> {
    const { knownRooms, isInRoom } = this.#parts;
    const room = await knownRooms.find(roomId);
    return room !== undefined && (await isInRoom(room)) ? room : undefined;
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
