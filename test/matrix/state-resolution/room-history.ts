import { nobleEd25519 } from "../../../src/matrix/ed25519-noble.ts";
import type { JsonObject } from "../../../src/matrix/json.ts";
import type { Pdu } from "../../../src/matrix/pdu.ts";
import { type RoomVersionRules, roomVersionRules } from "../../../src/matrix/room-versions.ts";
import type {
  ConflictedEntry,
  EventNid,
  ResolutionSource,
  ResolvableEvent,
  StateKey,
  StateSets,
} from "../../../src/matrix/state-resolution/api.ts";
import { CompactAuthGraph } from "../../../src/matrix/state-resolution/auth-graph.ts";
import { resolveState } from "../../../src/matrix/state-resolution/resolve.ts";
import type { RefEvent } from "../../reference/events.ts";

/** An event as a test tells it; events go by names, and an event's id is its name behind a "$". */
export type ToldEvent = {
  readonly name: string;
  readonly type: string;
  readonly sender: string;
  readonly stateKey?: string;
  readonly content?: JsonObject;
  /** The names of its auth events, from v12 on without the create event. */
  readonly auth: readonly string[];
  readonly prev?: readonly string[];
  readonly ts?: number;
  readonly depth?: number;
  readonly rejected?: boolean;
};

/** A state of the room: by entry, the name of the event. */
export type State = ReadonlyMap<string, string>;

/** What an event is called, by its id. */
export const nameOf = (eventId: string) => eventId.slice(1);

export const keyOf = (type: string, stateKey: string) => JSON.stringify([type, stateKey]);

/** A room's events in memory, numbered as they are told, and what resolution asks of them. */
const ed25519 = nobleEd25519();

export class RoomHistory {
  readonly rules: RoomVersionRules;
  readonly graph = new CompactAuthGraph();
  /** How many batches of events the last resolution has asked for. */
  batches = 0;
  /** How often the last resolution has read all that the sets agree on. */
  fullReads = 0;
  readonly #events: ResolvableEvent[] = [];
  readonly #nids = new Map<string, EventNid>();

  constructor(version: string) {
    this.rules = roomVersionRules(version)!;
  }

  tell({ name, type, sender, stateKey, content = {}, auth, prev = [], ...told }: ToldEvent): void {
    const number = this.#events.length + 1;
    const [first] = this.#events;
    const creator = first?.pdu.sender ?? sender;
    const domain = creator.slice(creator.indexOf(":"));
    const roomId = this.rules.roomIdIsCreateHash ? first && `!${first.eventId.slice(1)}` : `!room${domain}`;
    const references = (names: readonly string[]) =>
      names.map((other) => (this.rules.eventIdFormat === "domain" ? [`$${other}`, {}] : `$${other}`));
    const pdu: Pdu = {
      type,
      sender,
      ...(roomId !== undefined && { room_id: roomId }),
      ...(stateKey !== undefined && { state_key: stateKey }),
      content,
      origin_server_ts: told.ts ?? number,
      depth: told.depth ?? number,
      auth_events: references(auth),
      prev_events: references(prev),
      hashes: { sha256: "" },
      signatures: {},
    };
    this.receive({ eventId: `$${name}`, pdu, auth: auth.map((other) => `$${other}`) }, told.rejected);
  }

  /** Numbers an event that is there as a whole; its name is its id without the "$". */
  receive({ eventId, pdu, auth }: Omit<RefEvent, "prev">, rejected = false): void {
    const nid = this.#events.length + 1;
    const authEvents = auth.map((id) => this.#nidOf(nameOf(id)));
    this.#events.push({ nid, eventId, pdu, authEvents, rejected });
    this.#nids.set(nameOf(eventId), nid);
    this.graph.add(nid, authEvents);
  }

  /** The state with these events and nothing else. */
  stateOf(names: Iterable<string>): State {
    return new Map(
      [...names].map((name) => {
        const { type, state_key: stateKey } = this.#events[this.#nidOf(name) - 1]!.pdu;
        return [keyOf(type, stateKey!), name];
      }),
    );
  }

  /** Resolves states, the conflicted entries being given in the order that `arrange` puts them. */
  async resolve(
    states: readonly State[],
    arrange: (entries: ConflictedEntry[]) => ConflictedEntry[] = (entries) => entries,
  ): Promise<State> {
    this.batches = 0;
    this.fullReads = 0;
    const { sets, agreed } = this.#setsOf(states);
    const entries = await resolveState(
      { ...sets, conflicted: arrange([...sets.conflicted]) },
      this.rules,
      this.#source(),
      ed25519,
    );
    const resolved = new Map(agreed);
    for (const { type, stateKey, event } of entries) {
      const key = keyOf(type, stateKey);
      if (resolved.has(key)) throw new Error(`${key} is in the result twice, or was agreed on.`);
      if (event !== undefined) resolved.set(key, event);
    }
    return new Map([...resolved].map(([key, nid]) => [key, nameOf(this.#events[nid - 1]!.eventId)]));
  }

  #setsOf(states: readonly State[]): { sets: StateSets; agreed: ReadonlyMap<string, EventNid> } {
    const conflicted: ConflictedEntry[] = [];
    const agreed = new Map<string, EventNid>();
    for (const key of new Set(states.flatMap((state) => [...state.keys()]))) {
      const [type, stateKey] = JSON.parse(key) as [string, string];
      const names = states.map((state) => state.get(key));
      const events = names.map((name) => (name === undefined ? undefined : this.#nidOf(name)));
      if (new Set(events).size === 1) agreed.set(key, events[0]!);
      else conflicted.push({ type, stateKey, events });
    }
    const unconflicted = new Agreed(agreed, () => {
      this.fullReads += 1;
    });
    return { sets: { count: states.length, conflicted, unconflicted }, agreed };
  }

  #source(): ResolutionSource {
    const asked = new Set<EventNid>();
    return {
      graph: this.graph,
      events: async (nids) => {
        this.batches += 1;
        return nids.map((nid) => {
          if (asked.has(nid)) throw new Error(`Event ${nid} was asked for twice.`);
          asked.add(nid);
          return this.#events[nid - 1]!;
        });
      },
    };
  }

  #nidOf(name: string): EventNid {
    const nid = this.#nids.get(name);
    if (nid === undefined) throw new Error(`There is no event ${name} yet.`);
    return nid;
  }
}

/** As a class: it has to be called as what it is. */
class Agreed {
  readonly #entries: ReadonlyMap<string, EventNid>;
  readonly #onRead: () => void;

  constructor(entries: ReadonlyMap<string, EventNid>, onRead: () => void) {
    this.#entries = entries;
    this.#onRead = onRead;
  }

  entries(keys: readonly StateKey[]): Promise<(EventNid | undefined)[]> {
    return Promise.resolve(keys.map(([type, stateKey]) => this.#entries.get(keyOf(type, stateKey))));
  }

  events(): Iterable<EventNid> {
    this.#onRead();
    return this.#entries.values();
  }
}
