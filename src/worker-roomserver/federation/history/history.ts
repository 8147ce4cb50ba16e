import { domainOf } from "../../../matrix/domain.ts";
import { MatrixError } from "../../../matrix/errors.ts";
import { prevEventIds } from "../../../matrix/event-format.ts";
import type { ReceivedEvent } from "../../../matrix/received-event.ts";
import type { RemoteHistory } from "../../room/history/api.ts";
import { Lru } from "../../storage/lru.ts";
import type { FederationContext } from "../context.ts";
import { Asker, type SearchBounds } from "../gaps/asker.ts";
import type { AttemptParts } from "../gaps/attempt.ts";
import { RoomFetcher } from "../gaps/fetcher.ts";
import { linkedTo, openEnds } from "../gaps/missing-events.ts";
import { backfillFrom, textsIn } from "../gaps/questions.ts";
import { receiveWithAuth } from "../gaps/receive-with-auth.ts";
import { serversToAsk } from "../gaps/servers.ts";
import { type KnownRoom, KnownRooms } from "../known-rooms.ts";
import { within } from "../receiver/within.ts";

/** Milliseconds that somebody who scrolls back waits. What is fetched goes on, and is there when they ask again. */
const ANSWERED_WITHIN_MS = 6_000;
/** At least so long before "later" is said: clients ask again at once where they are not told that there is no more. */
const LATER_AFTER_MS = 2_000;
/** Somebody waits for it. */
const BOUNDS: SearchBounds = { requests: 300, ms: 60_000, evenBackedOff: "yes" };
/** As many as servers give at a time. */
const EVENTS = 100;
/** Ends of what came at which the state is asked for. Mostly there is one. */
const STATES_ASKED = 3;
/** Milliseconds for which it is remembered that nobody had more, or an event. */
const NOTHING_KEPT_MS = 10 * 60_000;
const NOTHINGS = 1_000;

type Outcome = "came" | "none" | "later";
type Parts = AttemptParts & Pick<FederationContext, "storage" | "serverName">;

/** Fetches what clients ask for and this server does not have. What several ask for it fetches once. */
export class FederationHistory implements RemoteHistory {
  readonly #parts: Parts;
  readonly #rooms: KnownRooms;
  readonly #underWay = new Map<string, Promise<Outcome>>();
  /** When there was nothing, by what was asked for. */
  readonly #nothing = new Lru<string, number>(NOTHINGS);

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#rooms = new KnownRooms(parts.storage);
  }

  async before(roomId: string, eventId: string): Promise<Outcome> {
    const { now, later } = this.#parts;
    const begun = now();
    const outcome = await this.#once(`before ${eventId}`, () => this.#fetchBefore(roomId, eventId));
    const left = LATER_AFTER_MS - (now() - begun);
    if (outcome === "later" && left > 0) await new Promise<void>((resolve) => later(left, resolve));
    return outcome;
  }

  async event(roomId: string, eventId: string): Promise<boolean> {
    return (await this.#once(`event ${eventId}`, () => this.#fetchEvent(roomId, eventId))) === "came";
  }

  async #once(name: string, fetch: () => Promise<Outcome>): Promise<Outcome> {
    const { now, later } = this.#parts;
    if (now() - (this.#nothing.get(name) ?? Number.NEGATIVE_INFINITY) < NOTHING_KEPT_MS) return "none";
    const fetching = this.#underWay.get(name) ?? this.#begin(name, fetch);
    return (await within(fetching, ANSWERED_WITHIN_MS, later)) ?? "later";
  }

  #begin(name: string, fetch: () => Promise<Outcome>): Promise<Outcome> {
    const fetching = fetch()
      .catch((error: unknown): Outcome => {
        // The room may have been left meanwhile.
        if (!(error instanceof MatrixError)) console.error("hearth: history could not be fetched", error);
        return "none";
      })
      .then((outcome) => {
        this.#underWay.delete(name);
        if (outcome === "none") this.#nothing.set(name, this.#parts.now());
        return outcome;
      });
    this.#underWay.set(name, fetching);
    return fetching;
  }

  async #fetchBefore(roomId: string, eventId: string): Promise<Outcome> {
    const [event] = await this.#parts.roomQueries.eventsById([eventId]);
    const room = await this.#rooms.find(roomId);
    if (event === undefined || room === undefined) return "none";
    const { asker, fetcher } = await this.#search(room, [domainOf(event.pdu.sender) ?? ""]);
    const known = await fetcher.known(prevEventIds(event.pdu), { isPlaced: true });
    const missing = prevEventIds(event.pdu).filter((id) => !known.has(id));
    if (missing.length === 0) return "came";
    const found = await asker.ask(backfillFrom(roomId, missing, EVENTS), async ({ text }, server) => {
      const told = await fetcher.signed(textsIn(text, "pdus").slice(0, EVENTS), server);
      const linked = linkedTo([event], new Map(told.map((one) => [one.eventId, one])));
      return linked.length > 0 ? linked : undefined;
    });
    if (found.got === undefined) return found.isFinal ? "none" : "later";
    return this.#takeIn(room, fetcher, found.got);
  }

  async #fetchEvent(roomId: string, eventId: string): Promise<Outcome> {
    const room = await this.#rooms.find(roomId);
    if (room === undefined) return "none";
    const { fetcher } = await this.#search(room, []);
    const { event, isFinal } = await fetcher.event(eventId);
    if (event === undefined) return isFinal ? "none" : "later";
    return this.#takeIn(room, fetcher, [event]);
  }

  /** Takes in events as history, with the states before those whose own past is not known. */
  async #takeIn(room: KnownRoom, fetcher: RoomFetcher, events: readonly ReceivedEvent[]): Promise<Outcome> {
    const among = new Map(events.map((event) => [event.eventId as string, event]));
    const ends = await openEnds(fetcher, events, among);
    const statesBefore: { [eventId: string]: string[] } = {};
    let isFinal = true;
    for (const { eventId } of ends.slice(0, STATES_ASKED)) {
      const told = await fetcher.stateBefore(eventId);
      if (told.state === undefined) isFinal = isFinal && told.isFinal;
      else statesBefore[eventId] = told.state.map((entry) => entry.eventId);
    }
    const { roomInput } = this.#parts;
    const how = { as: "history", statesBefore } as const;
    const missing = await receiveWithAuth({ roomInput, room, fetcher }, events, how);
    if (missing.size < events.length) return "came";
    return isFinal ? "none" : "later";
  }

  async #search(room: KnownRoom, first: readonly string[]): Promise<{ asker: Asker; fetcher: RoomFetcher }> {
    const { roomQueries, serverName } = this.#parts;
    const servers = await serversToAsk(roomQueries, room.roomId, first, serverName);
    const asker = new Asker(this.#parts, servers, BOUNDS);
    return { asker, fetcher: new RoomFetcher(this.#parts, room, asker) };
  }
}
