import { authTypesFor } from "../../../src/matrix/auth-events.ts";
import { serverNameOf, type UserId } from "../../../src/matrix/identifiers.ts";
import type { JsonObject } from "../../../src/matrix/json.ts";
import type { Pdu } from "../../../src/matrix/pdu.ts";
import { type RoomVersionRules, roomVersionRules } from "../../../src/matrix/room-versions.ts";
import { type EventDraft, finishEvent } from "../../../src/matrix/signing.ts";
import type { Servers } from "./servers.ts";

export const VERSION = "12";
export const rules: RoomVersionRules = roomVersionRules(VERSION)!;

/** An event as it is sent. */
export type SignedEvent = { eventId: string; pdu: Pdu; text: string };

export type Said = { type: string; sender: string; content: JsonObject; stateKey?: string };

const keyOf = (type: string, stateKey: string) => JSON.stringify([type, stateKey]);

/** A way on through a room's history: each event is built on the one before. */
export class Branch {
  readonly #servers: Servers;
  readonly #state: Map<string, SignedEvent>;
  #roomId: string;
  #previous: readonly SignedEvent[];
  #ts: number;

  private constructor(from: {
    servers: Servers;
    state: Map<string, SignedEvent>;
    roomId: string;
    previous: readonly SignedEvent[];
    ts: number;
  }) {
    this.#servers = from.servers;
    this.#state = from.state;
    this.#roomId = from.roomId;
    this.#previous = from.previous;
    this.#ts = from.ts;
  }

  /**
   * The beginning of a room that has no event yet.
   * @param ts - milliseconds since 1970; rooms that begin at another time have other ids
   */
  static ofNewRoom(servers: Servers, ts: number): Branch {
    return new Branch({ servers, state: new Map(), roomId: "", previous: [], ts });
  }

  get roomId(): string {
    return this.#roomId;
  }

  /** The events of the state after the newest event. */
  get state(): readonly SignedEvent[] {
    return [...this.#state.values()];
  }

  /** Another way on from here. */
  fork(): Branch {
    return new Branch({
      servers: this.#servers,
      state: new Map(this.#state),
      roomId: this.#roomId,
      previous: this.#previous,
      ts: this.#ts,
    });
  }

  /** The next event comes after the newest of the other branch, too; the state stays that of this one. */
  merge(other: Branch): void {
    this.#previous = [...this.#previous, ...other.#previous];
    this.#ts = Math.max(this.#ts, other.#ts);
  }

  async add({ type, sender, content, stateKey }: Said): Promise<SignedEvent> {
    const subject = { type, sender, content, ...(stateKey !== undefined && { state_key: stateKey }) };
    const authEvents = authTypesFor(subject, rules).map((key) => this.#state.get(keyOf(...key)));
    const draft: EventDraft = {
      ...subject,
      ...(this.#roomId !== "" && { room_id: this.#roomId }),
      origin_server_ts: ++this.#ts,
      depth: 1 + Math.max(0, ...this.#previous.map(({ pdu }) => pdu.depth)),
      prev_events: this.#previous.map(({ eventId }) => eventId),
      auth_events: authEvents.filter((event) => event !== undefined).map(({ eventId }) => eventId),
    };
    const server = serverNameOf(sender as UserId);
    const { pdu, eventId, json } = await finishEvent(draft, rules, server, this.#servers.keyOf(server));
    const event = { eventId, pdu, text: json };
    if (type === "m.room.create") this.#roomId = `!${eventId.slice(1)}`;
    if (stateKey !== undefined) this.#state.set(keyOf(type, stateKey), event);
    this.#previous = [event];
    return event;
  }
}
