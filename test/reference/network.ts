import { authTypesFor } from "../../src/matrix/auth-events.ts";
import { maxPrevEvents } from "../../src/matrix/event-format.ts";
import type { JsonObject } from "../../src/matrix/json.ts";
import type { RoomVersionRules } from "../../src/matrix/room-versions.ts";
import { objection, type RefEvent, type RefState, stateKey, stateKeyOf } from "./events.ts";
import { type Intent, makeEvent } from "./make-event.ts";
import { ReferenceRoom } from "./room-model.ts";

/**
 * How a server sends an event:
 * - `honest`: on top of all it knows, and only if its own room allows it
 * - `behind`: on top of one event from earlier, whatever became of that, as one does who evades a ban
 * - `reaching-back`: on top of all it knows and one event from earlier
 * - `misdated`: with a time and a depth that are made up
 * - `unchecked`: allowed or not
 * - `misauthorised`: allowed or not, with an auth event left out, exchanged or added, or with outdated ones
 */
export type Manner = "honest" | "behind" | "reaching-back" | "misdated" | "unchecked" | "misauthorised";

/** What a sender sees of the state that the event is built on: the content of an entry. */
export type Seen = (type: string, key: string) => JsonObject | undefined;

const firstSecond = 1_700_000_000_000;

/** Servers with users in one room, each with a view of its own: what it has seen, in its own order. */
export class Network {
  readonly rules: RoomVersionRules;
  readonly users: readonly string[];
  readonly views: readonly ReferenceRoom[];
  /** What anybody has sent; each event comes after all that it refers to. */
  readonly events: RefEvent[] = [];
  readonly #ids = new Set<string>();

  constructor(rules: RoomVersionRules, { servers, users }: { servers: number; users: number }) {
    this.rules = rules;
    this.views = Array.from({ length: servers }, () => new ReferenceRoom(rules));
    this.users = Array.from({ length: users }, (_, index) => `@u${index}:${this.serverName(index)}`);
  }

  serverName(user: number): string {
    return `s${user % this.views.length}.example`;
  }

  /** Undefined until the create event of v12 is there. */
  get roomId(): string | undefined {
    if (!this.rules.roomIdIsCreateHash) return `!room:${this.serverName(0)}`;
    const [create] = this.events;
    return create && `!${create.eventId.slice(1)}`;
  }

  /**
   * Lets a user's server send an event, which only that server then has.
   * @param intend - what the user wants, seeing the state that it is built on
   * @param choice - which of the possibilities that the manner leaves is taken; the most recent are the lowest
   */
  send(user: number, intend: (seen: Seen) => Intent, manner: Manner = "honest", choice = 0): void {
    const view = this.views[user % this.views.length]!;
    const { prev, state } = this.#ground(view, manner, choice);
    const intent = intend(seenIn(view, state));
    const sender = this.users[user]!;
    const select = (from: RefState) =>
      authTypesFor({ sender, ...intent }, this.rules)
        .map(([type, key]) => from.get(stateKey(type, key)))
        .filter((id) => id !== undefined)
        .map((id) => view.event(id));
    const number = this.events.length;
    const event = makeEvent(this.rules, sender, intent, {
      roomId: this.roomId,
      prev: prev.map((id) => view.event(id)),
      auth: manner === "misauthorised" ? misselect(select, state, view, choice) : select(state),
      // Two after one another have the same time, so that now and then their ids decide.
      time: firstSecond + 1000 * (Math.floor(number / 2) - (manner === "misdated" ? choice : 0)),
      number,
      ...(manner === "misdated" && { depth: 1 + choice }),
    });
    if (this.#ids.has(event.eventId)) return;
    if (manner !== "unchecked" && manner !== "misauthorised") {
      if (objection(event, this.rules, state, (id) => view.event(id)) !== undefined) return;
    }
    this.#ids.add(event.eventId);
    this.events.push(event);
    view.receive(event);
  }

  /** Lets a server take in what another has, except for the newest few. */
  synchronise(to: number, from: number, exceptNewest = 0): void {
    const count = this.views.length;
    const source = this.views[from % count]!.events();
    for (const event of source.slice(0, Math.max(0, source.length - exceptNewest))) {
      this.views[to % count]!.receive(event);
    }
  }

  synchroniseAll(): void {
    for (const view of this.views) for (const event of this.events) view.receive(event);
  }

  #ground(view: ReferenceRoom, manner: Manner, choice: number): { prev: string[]; state: RefState } {
    // One less than an event may have, so that there is room for one from earlier.
    const tips = [...view.extremities()].slice(0, maxPrevEvents - 1);
    const earlier = recent(view.events(), choice)?.eventId;
    if (manner === "behind" && earlier !== undefined) {
      return { prev: [earlier], state: view.stateAfter(earlier) };
    }
    if (manner === "reaching-back" && earlier !== undefined && !tips.includes(earlier)) {
      return { prev: [...tips, earlier], state: view.currentState() };
    }
    return { prev: tips, state: view.currentState() };
  }
}

/** The newest of all for 0, the one before it for 1, and so on, round and round. */
export function recent<T>(list: readonly T[], choice: number): T | undefined {
  return list.length === 0 ? undefined : list[list.length - 1 - (choice % list.length)];
}

function seenIn(view: ReferenceRoom, state: RefState): Seen {
  return (type, key) => {
    const id = state.get(stateKey(type, key));
    return id === undefined ? undefined : view.event(id).pdu.content;
  };
}

/** One of the ways to select auth events wrongly, and within it one of the events that are concerned. */
function misselect(
  select: (from: RefState) => RefEvent[],
  state: RefState,
  view: ReferenceRoom,
  choice: number,
): RefEvent[] {
  const selected = select(state);
  const which = Math.floor(choice / 4);
  const victim = recent(selected, which);
  const withoutVictim = selected.filter((event) => event !== victim);
  const stateEvents = view.events().filter((event) => stateKeyOf(event) !== undefined);
  switch (choice % 4) {
    case 0: {
      const earlier = recent(view.events(), 3 * which);
      return earlier === undefined ? selected : select(view.stateAfter(earlier.eventId));
    }
    case 1: {
      const ofSameKey = stateEvents.filter((event) => victim && stateKeyOf(event) === stateKeyOf(victim));
      return [...withoutVictim, ...ofSameKey.slice(0, 1)];
    }
    case 2:
      return withoutVictim;
    default:
      return [...selected, ...stateEvents.slice(-1 - which).slice(0, 1)];
  }
}
