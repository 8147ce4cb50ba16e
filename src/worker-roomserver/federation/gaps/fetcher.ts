import type { ReceivedEvent } from "../../../matrix/received-event.ts";
import type { StoredEvent } from "../../room/api.ts";
import type { InputVerdict } from "../../room/input/api.ts";
import type { FederationContext } from "../context.ts";
import type { KnownRoom } from "../known-rooms.ts";
import { readEvents } from "../read-events.ts";
import { Turns } from "../receiver/turns.ts";
import { within } from "../receiver/within.ts";
import type { Asker } from "./asker.ts";
import { eventAuthOf, eventOf, readStateIds, stateAt, stateIdsAt, textsIn, textsInAll } from "./questions.ts";

/** Milliseconds that keys of the servers whose events were fetched may take. */
const KEY_TIME_MS = 10_000;
/** Events asked for one by one, and how many of them at a time. Where more are missing, the whole state is asked for. */
const SINGLE = { most: 200, atOnce: 8 };
/** How often what fetched auth events cite in turn is fetched: each time they are one step further from the event. */
const AUTH_STEPS = 4;
/** Events that are looked up together. */
const LOOKED_UP = 1_000;

export type FetcherParts = Pick<FederationContext, "roomInput" | "roomQueries" | "keyRing" | "later">;

/**
 * Fetches what a room lacks and stores it, for one search. Nothing of an answer is believed but what the signatures say:
 * events of other rooms, of other ids, and those that nobody has signed are left out.
 */
export class RoomFetcher {
  readonly #parts: FetcherParts;
  readonly #room: KnownRoom;
  readonly #asker: Asker;
  /** Auth events that nobody has. */
  readonly unobtainable = new Set<string>();

  constructor(parts: FetcherParts, room: KnownRoom, asker: Asker) {
    this.#parts = parts;
    this.#room = room;
    this.#asker = asker;
  }

  /** Those of the texts that are signed events of the room. @param via - the server that has told them */
  async signed(texts: readonly string[], via: string): Promise<ReceivedEvent[]> {
    const events = readEvents(texts, this.#room).filter((event) => this.#isOfRoom(event));
    const { keyRing, later } = this.#parts;
    const found = await within(keyRing.checkEvents(events, this.#room.rules, via), KEY_TIME_MS, later);
    return found === undefined ? [] : events.filter((_, i) => found[i] === undefined);
  }

  #isOfRoom({ eventId, pdu }: ReceivedEvent): boolean {
    const { rules, roomId } = this.#room;
    if (rules.roomIdIsCreateHash && pdu.type === "m.room.create") return roomId === `!${eventId.slice(1)}`;
    return pdu.room_id === roomId;
  }

  /** Those that are known here, and their places in the graph if `isPlaced`. */
  async known(ids: Iterable<string>, { isPlaced = false } = {}): Promise<Map<string, StoredEvent>> {
    const all = [...new Set(ids)];
    const known = new Map<string, StoredEvent>();
    for (let first = 0; first < all.length; first += LOOKED_UP) {
      for (const event of await this.#parts.roomQueries.eventsById(all.slice(first, first + LOOKED_UP))) {
        if (event !== undefined && !(isPlaced && event.isOutlier)) known.set(event.eventId, event);
      }
    }
    return known;
  }

  /** One event, by its id. */
  async event(eventId: string): Promise<{ event?: ReceivedEvent; isFinal: boolean }> {
    const found = await this.#asker.ask(eventOf(eventId), async ({ text }, server) => {
      // More than one event is no answer to this.
      const events = await this.signed(textsIn(text, "pdus").slice(0, 1), server);
      return events.find((event) => event.eventId === eventId);
    });
    return found.got === undefined ? { isFinal: found.isFinal } : { event: found.got, isFinal: true };
  }

  /**
   * Fetches what authorises an event, and stores it; what nobody has is `unobtainable` then.
   * @param missing - ids of its auth events that are not known here
   */
  async fetchAuth(event: ReceivedEvent, missing: readonly string[]): Promise<void> {
    const chain = await this.#asker.ask(
      eventAuthOf(this.#room.roomId, event.eventId),
      async ({ text }, server) => {
        const events = await this.signed(textsIn(text, "auth_chain"), server);
        return events.length > 0 ? events : undefined;
      },
    );
    if (chain.got !== undefined) await this.storeOutliers(chain.got);
    const known = await this.known(missing);
    const left = missing.filter((id) => !known.has(id));
    if (left.length > 0) await this.storeOutliers(await this.#events(left));
  }

  /** Stores events for what they authorise, with what authorises them in turn. */
  async storeOutliers(events: readonly ReceivedEvent[]): Promise<void> {
    let left = events;
    for (let step = 0; left.length > 0; step++) {
      const verdicts = await this.#parts.roomInput.receive(this.#room.roomId, left, {
        as: "outlier",
        unobtainable: [...this.unobtainable],
      });
      const lacking = lackingAuth(verdicts);
      if (lacking.size === 0 || step === AUTH_STEPS) return;
      const wanting = left.filter(({ eventId }) => lacking.has(eventId));
      const ids = new Set([...lacking.values()].flat());
      for (const { eventId } of wanting) ids.delete(eventId);
      const fetched = await this.#events([...ids]);
      if (fetched.length === 0 && [...ids].every((id) => !this.unobtainable.has(id))) return;
      left = [...fetched, ...wanting];
    }
  }

  /** Events by their ids, as far as they are to be had. */
  async #events(ids: readonly string[]): Promise<ReceivedEvent[]> {
    const turns = new Turns(SINGLE.atOnce, SINGLE.atOnce);
    const found = await Promise.all(
      ids.slice(0, SINGLE.most).map((id) => turns.run("", async () => ({ id, ...(await this.event(id)) }))),
    );
    for (const { id, event, isFinal } of found) {
      if (event === undefined && isFinal) this.unobtainable.add(id);
    }
    return found.flatMap(({ event }) => event ?? []);
  }

  /**
   * The state before an event, as servers of the room tell it. What of it was not known here is stored; what cannot be
   * had is left out.
   */
  async stateBefore(eventId: string): Promise<{ state?: StoredEvent[]; isFinal: boolean }> {
    const { roomId } = this.#room;
    const told = await this.#asker.ask(stateIdsAt(roomId, eventId), ({ json }) => readStateIds(json));
    if (told.got === undefined) return { isFinal: told.isFinal };
    const { pduIds, authChainIds } = told.got;
    const all = new Set([...pduIds, ...authChainIds]);
    const known = await this.known(all);
    const unknown = [...all].filter((id) => !known.has(id));
    if (unknown.length > 0) {
      const isMost = unknown.length > SINGLE.most || unknown.length > SINGLE.atOnce + all.size / 2;
      const fetched = isMost ? await this.#wholeState(eventId, unknown) : await this.#events(unknown);
      await this.storeOutliers(fetched);
    }
    const state = [...(await this.known(pduIds)).values()].filter(
      ({ room, pdu }) => room === this.#room.nid && pdu.state_key !== undefined,
    );
    // Every room has a create event: without it, this is no state, and would let nothing pass.
    const isWhole = state.some(({ pdu }) => pdu.type === "m.room.create");
    return isWhole ? { state, isFinal: true } : { isFinal: true };
  }

  async #wholeState(eventId: string, unknown: readonly string[]): Promise<ReceivedEvent[]> {
    const { got = [] } = await this.#asker.ask(
      stateAt(this.#room.roomId, eventId),
      async ({ text }, server) => {
        const wanted = new Set(unknown);
        const events = await this.signed(textsInAll(text, ["pdus", "auth_chain"]), server);
        const told = events.filter((event) => wanted.has(event.eventId));
        return told.length > 0 ? told : undefined;
      },
    );
    return got;
  }
}

/** By the ids of events that lack auth events, the ids of these. */
function lackingAuth(verdicts: readonly InputVerdict[]): Map<string, string[]> {
  return new Map(
    verdicts.flatMap((verdict) =>
      verdict.outcome === "missing" && verdict.authEvents.length > 0
        ? [[verdict.eventId, verdict.authEvents] as const]
        : [],
    ),
  );
}
