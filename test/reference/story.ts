import { authTypesFor } from "../../src/matrix/auth-events.ts";
import type { JsonObject } from "../../src/matrix/json.ts";
import { type RoomVersionRules, roomVersionRules } from "../../src/matrix/room-versions.ts";
import { type RefEvent, type RefState, stateKey } from "./events.ts";
import { type Intent, makeEvent } from "./make-event.ts";
import { ReferenceRoom, type Verdict } from "./room-model.ts";

type Circumstances = {
  /** What it is built on; the event told before if left out. */
  readonly after?: readonly string[];
  /** Other auth events than the state there has; the create event is among them where the version has that. */
  readonly auth?: readonly string[];
  /** In seconds; the number of the event if left out. */
  readonly time?: number;
  readonly depth?: number;
};

/**
 * A room told by hand, for tests, in which events have names. It begins with `create`, `alice` (joined, level 100),
 * `levels`, `public` (the join rule), `bob` (joined, level 50) and `carol` (joined, level 0), each of a server of
 * their own.
 */
export class Story {
  readonly rules: RoomVersionRules;
  readonly #told = new Map<string, RefEvent>();
  /** Has everything, in the order told: its states say what authorises an event. */
  readonly #room: ReferenceRoom;

  constructor(version: string) {
    this.rules = roomVersionRules(version)!;
    this.#room = new ReferenceRoom(this.rules);
    const creator = this.rules.creatorIsSender ? {} : { creator: "@alice:a.example" };
    this.state("create", "@alice:a.example", "m.room.create", { room_version: version, ...creator });
    this.member("alice", "@alice:a.example", "join");
    const levels = this.rules.privilegedCreators ? {} : { "@alice:a.example": 100 };
    this.state("levels", "@alice:a.example", "m.room.power_levels", {
      users: { ...levels, "@bob:b.example": 50 },
    });
    this.state("public", "@alice:a.example", "m.room.join_rules", { join_rule: "public" });
    this.member("bob", "@bob:b.example", "join");
    this.member("carol", "@carol:c.example", "join");
  }

  /** The names of all events, in the order told. */
  get names(): string[] {
    return [...this.#told.keys()];
  }

  event(name: string): RefEvent {
    const event = this.#told.get(name);
    if (event === undefined) throw new Error(`No event is called ${name}.`);
    return event;
  }

  nameOf(eventId: string | undefined): string | undefined {
    return this.names.find((name) => this.event(name).eventId === eventId);
  }

  tell(name: string, sender: string, intent: Intent, circumstances: Circumstances = {}): void {
    const prev = (circumstances.after ?? this.names.slice(-1)).map((other) => this.event(other));
    const state = this.#room.stateAfterAll(prev.map(({ eventId }) => eventId));
    const selected = authTypesFor({ sender, ...intent }, this.rules)
      .map(([type, key]) => state.get(stateKey(type, key)))
      .filter((id) => id !== undefined)
      .map((id) => this.#room.event(id));
    const number = this.#told.size;
    const event = makeEvent(this.rules, sender, intent, {
      roomId: this.#roomId(),
      prev,
      auth: circumstances.auth === undefined ? selected : this.#authEvents(circumstances.auth),
      time: 1000 * (circumstances.time ?? number),
      number,
      ...(circumstances.depth !== undefined && { depth: circumstances.depth }),
    });
    this.#told.set(name, event);
    this.#room.receive(event);
  }

  state(
    name: string,
    sender: string,
    type: string,
    content: JsonObject,
    circumstances?: Circumstances,
  ): void {
    this.tell(name, sender, { type, state_key: "", content }, circumstances);
  }

  /** Sends a membership of the sender's own, or of whoever `of` says. */
  member(
    name: string,
    sender: string,
    membership: string,
    { of = sender, ...circumstances }: Circumstances & { of?: string } = {},
  ): void {
    this.tell(name, sender, { type: "m.room.member", state_key: of, content: { membership } }, circumstances);
  }

  message(name: string, sender: string, circumstances?: Circumstances): void {
    this.tell(name, sender, { type: "m.room.message", content: { body: name } }, circumstances);
  }

  /** A server's room that has received these events in this order, or all in the order told. */
  received(names: readonly string[] = this.names): ReferenceRoom {
    const room = new ReferenceRoom(this.rules);
    for (const name of names) room.receive(this.event(name));
    return room;
  }

  outcome(room: ReferenceRoom, name: string): Verdict["outcome"] {
    return room.verdict(this.event(name).eventId).outcome;
  }

  /** The name of the event that a state has for a type and state key. */
  entry(state: RefState, type: string, key = ""): string | undefined {
    return this.nameOf(state.get(stateKey(type, key)));
  }

  #authEvents(names: readonly string[]): RefEvent[] {
    const create = this.rules.roomIdIsCreateHash ? [] : ["create"];
    return [...create, ...names].map((name) => this.event(name));
  }

  #roomId(): string | undefined {
    if (!this.rules.roomIdIsCreateHash) return "!room:a.example";
    return this.#told.size === 0 ? undefined : `!${this.event("create").eventId.slice(1)}`;
  }
}
