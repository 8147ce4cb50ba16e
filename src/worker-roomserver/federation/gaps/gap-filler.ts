import { domainOf } from "../../../matrix/domain.ts";
import { MatrixError } from "../../../matrix/errors.ts";
import { prevEventIds } from "../../../matrix/event-format.ts";
import type { ReceivedEvent } from "../../../matrix/received-event.ts";
import type { Storage } from "../../storage/api.ts";
import type { Nid } from "../../storage/schema.ts";
import type { Destinations } from "../api.ts";
import type { KnownRoom, KnownRooms } from "../known-rooms.ts";
import { sortBySignature } from "../receiver/signatures.ts";
import { Turns } from "../receiver/turns.ts";
import { Attempt, type AttemptParts } from "./attempt.ts";
import { serversToAsk } from "./servers.ts";
import type { WaitingEvent, WaitingEvents } from "./waiting-events.ts";

/** Searches that are under way at a time, mostly waiting for the network; a server that hangs holds up few of them. */
const SEARCHES = { atOnce: 16, ofOneServer: 4 };
const RETRY_MS = { first: 30_000, most: 60 * 60_000 };
/** What could not be completed for so long is given up; whatever is built upon it asks for it again. */
const GIVEN_UP_MS = 7 * 24 * 60 * 60_000;
const KEY_TIME_MS = 10_000;

export type GapFillerParts = AttemptParts & {
  storage: Storage;
  serverName: string;
  knownRooms: KnownRooms;
  waitingEvents: WaitingEvents;
  destinations: Pick<Destinations, "onReady">;
};

type Retry = { tries: number; notBefore: number };
type Work = {
  room: KnownRoom;
  isRunning: boolean;
  /** Something has come while it was worked at. */
  again: boolean;
  /** A server is there that was not: nothing has to wait for its time. */
  retryAll: boolean;
  /** Who has sent those that wait. */
  origins: Set<string>;
  /** Ids of what those that wait lack, as far as that has been found out. */
  lacking: Set<string>;
  /** Ids of those that wait and are signed as they must be. */
  signed: Set<string>;
  retries: Map<string, Retry>;
  stop?: () => void;
};

/** Completes what waits in rooms. Each room is worked at by itself; what is there then is taken in and waits no longer. */
export class GapFiller {
  readonly #parts: GapFillerParts;
  readonly #turns = new Turns(SEARCHES.atOnce, SEARCHES.ofOneServer);
  readonly #rooms = new Map<Nid, Work>();
  #isClosed = false;
  #unsubscribe: () => void = () => undefined;

  constructor(parts: GapFillerParts) {
    this.#parts = parts;
  }

  /** Goes on with what waits since before. */
  async start(): Promise<void> {
    const { waitingEvents, storage, knownRooms, destinations } = this.#parts;
    this.#unsubscribe = destinations.onReady((server) => this.#isThere(server));
    for (const nid of await waitingEvents.rooms()) {
      const room = await knownRooms.find(await storage.names.text(nid));
      if (room === undefined) await waitingEvents.removeAll(nid);
      else this.wake(room);
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#unsubscribe();
    for (const { stop } of this.#rooms.values()) stop?.();
  }

  /** Events wait in the room that did not before. */
  wake(room: KnownRoom): void {
    const work = this.#rooms.get(room.nid) ?? {
      ...{ room, isRunning: false, again: false, retryAll: false },
      ...{ origins: new Set(), lacking: new Set(), signed: new Set(), retries: new Map() },
    };
    this.#rooms.set(room.nid, work);
    work.again = true;
    void this.#work(work);
  }

  /** Events have been taken in without having waited: others may have waited for them. */
  arrived(room: KnownRoom, eventIds: readonly string[]): void {
    const work = this.#rooms.get(room.nid);
    if (work?.isRunning || eventIds.some((eventId) => work?.lacking.has(eventId))) this.wake(room);
  }

  /** A server may be asked that could not be: what it has sent need not wait for its time. */
  #isThere(server: string): void {
    for (const work of this.#rooms.values()) {
      if (!work.origins.has(server)) continue;
      // What is under way may have failed already, and be noted as that yet.
      work.retryAll = true;
      this.wake(work.room);
    }
  }

  async #work(work: Work): Promise<void> {
    if (work.isRunning || this.#isClosed) return;
    work.isRunning = true;
    work.stop?.();
    while (work.again && !this.#isClosed) {
      work.again = false;
      if (work.retryAll) {
        for (const [id, retry] of work.retries) work.retries.set(id, { ...retry, notBefore: 0 });
        work.retryAll = false;
      }
      try {
        await this.#fill(work);
      } catch (error) {
        if (this.#isClosed) return;
        if (error instanceof MatrixError && error.status === 404) {
          await this.#parts.waitingEvents.removeAll(work.room.nid).catch(() => undefined);
        } else {
          console.error(`hearth: a gap in the room ${work.room.roomId} could not be filled`, error);
          work.retries.set("", this.#nextRetry(work.retries.get("")));
        }
      }
    }
    work.isRunning = false;
    this.#sleep(work);
  }

  /** Until the next retry, if there is any. */
  #sleep(work: Work): void {
    if (this.#isClosed) return;
    const times = [...work.retries.values()].map(({ notBefore }) => notBefore);
    if (times.length === 0) {
      this.#rooms.delete(work.room.nid);
      return;
    }
    work.stop = this.#parts.later(Math.max(0, Math.min(...times) - this.#parts.now()), () =>
      this.wake(work.room),
    );
  }

  /** Works at one event after the other, until none is left whose turn it is. */
  async #fill(work: Work): Promise<void> {
    const { room, retries } = work;
    retries.delete("");
    for (let mayBeReady = true; !this.#isClosed; ) {
      const all = await this.#parts.waitingEvents.of(room);
      forgetOthers(work, all);
      const waiting = await this.#signed(work, all);
      const left = mayBeReady ? await this.#takeReady(work, waiting) : waiting;
      mayBeReady = false;
      const due = left.filter(({ event }) => this.#isDue(retries.get(event.eventId)));
      const next = firstOf(due);
      if (next === undefined) return;
      const outcome = await this.#attempt(room, next, left);
      const { eventId } = next.event;
      if (outcome === "later" && this.#parts.now() - next.at < GIVEN_UP_MS) {
        retries.set(eventId, this.#nextRetry(retries.get(eventId)));
      } else {
        await this.#parts.waitingEvents.remove(room, [eventId]);
        mayBeReady = outcome === "taken";
      }
    }
  }

  /** Those that are signed as they must be; of the others what is not is dropped, and what lacks a key waits. */
  async #signed(
    { room, signed, retries }: Work,
    waiting: readonly WaitingEvent[],
  ): Promise<readonly WaitingEvent[]> {
    const { keyRing, later, waitingEvents, now } = this.#parts;
    const isUnknown = ({ event: { eventId } }: WaitingEvent) =>
      !signed.has(eventId) && this.#isDue(retries.get(eventId));
    const sorted = await sortBySignature(keyRing, later, {
      events: waiting.filter(isUnknown).map(({ event }) => event),
      ...{ rules: room.rules, origin: "", ms: KEY_TIME_MS },
    });
    for (const { eventId } of sorted.good) signed.add(eventId);
    const dropped = new Set<string>(sorted.bad.map(({ event }) => event.eventId));
    const times = new Map<string, number>(waiting.map(({ event, at }) => [event.eventId, at]));
    for (const { eventId } of sorted.unknown) {
      if (now() - (times.get(eventId) ?? 0) >= GIVEN_UP_MS) dropped.add(eventId);
      else retries.set(eventId, this.#nextRetry(retries.get(eventId)));
    }
    await waitingEvents.remove(room, [...dropped]);
    return waiting.filter(({ event }) => signed.has(event.eventId));
  }

  /** Takes in what lacks nothing any more. @returns what still does */
  async #takeReady(
    { room, lacking }: Work,
    waiting: readonly WaitingEvent[],
  ): Promise<readonly WaitingEvent[]> {
    lacking.clear();
    if (waiting.length === 0) return [];
    const events = waiting.map(({ event }) => event);
    const verdicts = await this.#parts.roomInput.receive(room.roomId, events);
    for (const verdict of verdicts) {
      if (verdict.outcome !== "missing") continue;
      for (const id of [...verdict.authEvents, ...verdict.prevEvents]) lacking.add(id);
    }
    const isLeft = (i: number) => verdicts[i]?.outcome === "missing";
    const taken = events.filter((_, i) => !isLeft(i)).map(({ eventId }) => eventId);
    await this.#parts.waitingEvents.remove(room, taken);
    return waiting.filter((_, i) => isLeft(i));
  }

  async #attempt(room: KnownRoom, { event, origin }: WaitingEvent, waiting: readonly WaitingEvent[]) {
    const { roomQueries, serverName } = this.#parts;
    const others = [domainOf(event.pdu.sender) ?? "", ...waiting.map((one) => one.origin)];
    const servers = await serversToAsk(roomQueries, room.roomId, [origin, ...others], serverName);
    const held = new Map<string, ReceivedEvent>(waiting.map((one) => [one.event.eventId, one.event]));
    return this.#turns.run(origin, () => new Attempt(this.#parts, room, servers).for(event, held));
  }

  #isDue(retry: Retry | undefined): boolean {
    return retry === undefined || retry.notBefore <= this.#parts.now();
  }

  #nextRetry(before: Retry | undefined): Retry {
    const tries = (before?.tries ?? 0) + 1;
    const ms = Math.min(RETRY_MS.most, RETRY_MS.first * 2 ** Math.min(tries - 1, 20));
    return { tries, notBefore: this.#parts.now() + ms };
  }
}

/** The first that is not built upon another of them; of a circle, any. */
function firstOf(due: readonly WaitingEvent[]): WaitingEvent | undefined {
  const ids = new Set<string>(due.map(({ event }) => event.eventId));
  return due.find(({ event }) => !prevEventIds(event.pdu).some((id) => ids.has(id))) ?? due[0];
}

function forgetOthers(work: Work, waiting: readonly WaitingEvent[]): void {
  const { retries, signed } = work;
  work.origins = new Set(waiting.map(({ origin }) => origin));
  const ids = new Set<string>(waiting.map(({ event }) => event.eventId));
  for (const id of [...retries.keys(), ...signed]) {
    if (ids.has(id)) continue;
    retries.delete(id);
    signed.delete(id);
  }
}
