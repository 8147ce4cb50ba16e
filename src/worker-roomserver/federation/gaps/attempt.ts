import { prevEventIds } from "../../../matrix/event-format.ts";
import type { ReceivedEvent } from "../../../matrix/received-event.ts";
import type { StoredEvent } from "../../room/api.ts";
import type { FederationContext } from "../context.ts";
import type { KnownRoom } from "../known-rooms.ts";
import { Asker, type SearchBounds } from "./asker.ts";
import { RoomFetcher } from "./fetcher.ts";
import { missingEvents } from "./missing-events.ts";
import { type Missing, receiveWithAuth } from "./receive-with-auth.ts";

/**
 * What is done for one event, at most. A server in the room can make others ask so much by sending an event that is
 * built upon nothing, once for each such event.
 */
const BOUNDS: SearchBounds = { requests: 600, ms: 120_000 };
/** Ends of the gap at which the state is asked for: each is a large question. */
const STATES_ASKED = 5;

export type AttemptParts = Pick<
  FederationContext,
  "client" | "now" | "later" | "roomInput" | "roomQueries" | "keyRing"
>;

/**
 * `taken`: the event is known now, whatever has become of it. `later`: who may have what it lacks could not be asked.
 * `never`: nobody has it.
 */
export type AttemptOutcome = "taken" | "later" | "never";

/** One search for what an event of a room lacks, and for what that lacks in turn. */
export class Attempt {
  readonly #parts: AttemptParts;
  readonly #room: KnownRoom;
  readonly #asker: Asker;
  readonly #fetcher: RoomFetcher;

  /** @param servers - who is asked: first the one that has sent the event */
  constructor(parts: AttemptParts, room: KnownRoom, servers: readonly string[]) {
    this.#parts = parts;
    this.#room = room;
    this.#asker = new Asker(parts, servers, BOUNDS);
    this.#fetcher = new RoomFetcher(parts, room, this.#asker);
  }

  /** @param held - events that wait in the room, by id */
  async for(event: ReceivedEvent, held: ReadonlyMap<string, ReceivedEvent>): Promise<AttemptOutcome> {
    const all = [event];
    let missing = await this.#receive(all);
    const lacks = missing.get(event.eventId);
    if (lacks === undefined) return "taken";
    if (lacks.prevEvents.length > 0) {
      const { roomQueries } = this.#parts;
      const shared = { room: this.#room, asker: this.#asker, fetcher: this.#fetcher, roomQueries };
      all.push(...(await missingEvents(shared, event, held)));
      missing = await this.#receive(all);
      if (!missing.has(event.eventId)) return "taken";
    }
    const { states, isFinal } = await this.#states(all, missing);
    if (Object.keys(states).length > 0) {
      missing = await this.#receive(all, states);
      if (!missing.has(event.eventId)) return "taken";
    }
    // Auth events that nobody has are missed no longer: those that are were not to be asked for.
    const ids = new Set<string>(all.map(({ eventId }) => eventId));
    const lacksAuth = [...missing.values()].some(({ authEvents }) => authEvents.some((id) => !ids.has(id)));
    return isFinal && !lacksAuth ? "never" : "later";
  }

  #receive(events: readonly ReceivedEvent[], statesBefore: States = {}): Promise<Map<string, Missing>> {
    const { roomInput } = this.#parts;
    return receiveWithAuth({ roomInput, room: this.#room, fetcher: this.#fetcher }, events, { statesBefore });
  }

  /** The states before those of the events that are built upon what nobody has given. */
  async #states(
    all: readonly ReceivedEvent[],
    missing: ReadonlyMap<string, Missing>,
  ): Promise<{ states: States; isFinal: boolean }> {
    const inside = new Set<string>(all.map(({ eventId }) => eventId));
    const isEnd = ({ eventId }: ReceivedEvent) =>
      missing.get(eventId)?.prevEvents.some((id) => !inside.has(id)) === true;
    const states: States = {};
    let isFinal = true;
    for (const event of all.filter(isEnd).slice(0, STATES_ASKED)) {
      const lacked = missing.get(event.eventId)?.prevEvents ?? [];
      const found = await this.#stateBefore(event, lacked);
      if (found.state !== undefined) states[event.eventId] = found.state.map(({ eventId }) => eventId);
      else isFinal = isFinal && found.isFinal;
    }
    return { states, isFinal };
  }

  /**
   * Where one event is missing, the state after that is asked for: who has not seen this event yet may know that one.
   * What comes after several is for who knows this event to say.
   */
  async #stateBefore(
    { eventId, pdu }: ReceivedEvent,
    lacked: readonly string[],
  ): Promise<{ state?: StoredEvent[]; isFinal: boolean }> {
    const [only, ...others] = lacked;
    if (only !== undefined && others.length === 0 && prevEventIds(pdu).includes(only)) {
      const state = await this.#stateAfter(only);
      if (state !== undefined) return { state, isFinal: true };
    }
    return this.#fetcher.stateBefore(eventId);
  }

  async #stateAfter(eventId: string): Promise<StoredEvent[] | undefined> {
    const { state } = await this.#fetcher.stateBefore(eventId);
    if (state === undefined) return undefined;
    const { event } = await this.#fetcher.event(eventId);
    if (event === undefined) return undefined;
    if (event.pdu.state_key === undefined) return state;
    await this.#fetcher.storeOutliers([event]);
    const stored = (await this.#fetcher.known([eventId])).get(eventId);
    if (stored === undefined || stored.status === 1) return state;
    const { type, state_key } = stored.pdu;
    const others = state.filter(({ pdu }) => pdu.type !== type || pdu.state_key !== state_key);
    return [...others, stored];
  }
}

type States = { [eventId: string]: readonly string[] };
