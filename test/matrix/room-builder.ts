import { authTypesFor } from "../../src/matrix/auth-events.ts";
import type { AuthEvent, AuthState } from "../../src/matrix/auth-rules/auth-event.ts";
import { parsePdu } from "../../src/matrix/event-format.ts";
import { contentHash, eventIdOf } from "../../src/matrix/hashes.ts";
import type { JsonObject, JsonValue } from "../../src/matrix/json.ts";
import {
  defaultRoomVersion,
  type RoomVersionRules,
  roomVersionRules,
} from "../../src/matrix/room-versions.ts";

/** What a test says of an event; the rest is filled in from where the room stands. */
export type EventFields = {
  type: string;
  sender?: string;
  state_key?: string;
  content?: JsonObject;
  /** Anything of the PDU that should be otherwise than the room would have it; undefined leaves it out. */
  pdu?: JsonObject;
};

export type RoomOptions = {
  version?: string;
  creator?: string;
  /** Further content of the create event. */
  create?: JsonObject;
};

/**
 * A room in memory, for tests: it has a create event and nothing else to begin with. Ids and content hashes
 * are real, signatures are not, and nothing is authorised: a test may put anything into the state.
 */
export class TestRoom {
  readonly rules: RoomVersionRules;
  readonly creator: string;
  readonly create: AuthEvent;
  readonly roomId: string;
  /** Everything that was sent, in order. */
  readonly events: AuthEvent[] = [];
  readonly #state = new Map<string, AuthEvent>();

  constructor({ version = defaultRoomVersion, creator = "@creator:a.example", create = {} }: RoomOptions) {
    const rules = roomVersionRules(version);
    if (rules === undefined) throw new Error(`There is no room version ${version}.`);
    this.rules = rules;
    this.creator = creator;
    this.roomId = rules.roomIdIsCreateHash ? "" : `!room:${domainOf(creator)}`;
    const content = { room_version: version, ...(rules.creatorIsSender ? {} : { creator }), ...create };
    this.create = this.send({ type: "m.room.create", state_key: "", content });
    if (rules.roomIdIsCreateHash) this.roomId = `!${this.create.eventId.slice(1)}`;
  }

  /** The state as it is when it is asked. */
  readonly state: AuthState = (type, stateKey) => this.#state.get(JSON.stringify([type, stateKey]));

  /** Makes the next event without sending it. */
  event({ type, sender = this.creator, state_key, content = {}, pdu: changes = {} }: EventFields): AuthEvent {
    const number = this.events.length;
    const draft: JsonObject = {
      type,
      sender,
      content,
      origin_server_ts: 1_700_000_000_000 + number,
      depth: number + 1,
      prev_events: this.events.slice(-1).map((event) => this.#reference(event)),
      auth_events: authTypesFor(
        { type, sender, content, ...(state_key !== undefined && { state_key }) },
        this.rules,
      )
        .map(([authType, stateKey]) => this.state(authType, stateKey))
        .filter((event) => event !== undefined)
        .map((event) => this.#reference(event)),
    };
    if (state_key !== undefined) draft.state_key = state_key;
    if (this.rules.eventIdFormat === "domain") draft.event_id = `$${number}:${domainOf(sender)}`;
    if (this.roomId !== "") draft.room_id = this.roomId;
    for (const [name, value] of Object.entries(changes)) {
      if (value === undefined) delete draft[name];
      else draft[name] = value;
    }
    draft.hashes = { sha256: contentHash(draft, this.rules) };
    draft.signatures = { [domainOf(sender)]: { "ed25519:test": "unsigned" } };
    return { eventId: eventIdOf(draft, this.rules), pdu: parsePdu(draft, this.rules) };
  }

  /** Makes an event and puts it at the end of the room and, if it is state, into the state. */
  send(fields: EventFields): AuthEvent {
    const event = this.event(fields);
    this.events.push(event);
    const { type, state_key: stateKey } = event.pdu;
    if (stateKey !== undefined) this.#state.set(JSON.stringify([type, stateKey]), event);
    return event;
  }

  /** Sends state, from the creator. */
  set(type: string, content: JsonObject, stateKey = ""): AuthEvent {
    return this.send({ type, content, state_key: stateKey });
  }

  /** Sends a membership event of the user's own, or of whoever else `sender` is. */
  member(userId: string, membership: string, { sender = userId, content = {} } = {}): AuthEvent {
    return this.send({
      type: "m.room.member",
      sender,
      state_key: userId,
      content: { membership, ...content },
    });
  }

  #reference(event: AuthEvent): JsonValue {
    if (this.rules.eventIdFormat !== "domain") return event.eventId;
    return [event.eventId, { sha256: event.pdu.hashes.sha256 }];
  }
}

/** A room of a version, with a create event alone: `testRoom({ version: "11" })`. */
export function testRoom(options: RoomOptions = {}): TestRoom {
  return new TestRoom(options);
}

/** A room that its creator has joined and that has a power levels event and a join rule, as servers set them up. */
export function usualRoom({
  joinRule = "invite",
  levels = {},
  ...options
}: RoomOptions & { joinRule?: string; levels?: JsonObject } = {}): TestRoom {
  const room = testRoom(options);
  room.member(room.creator, "join");
  const users = room.rules.privilegedCreators ? {} : { [room.creator]: 100 };
  room.set("m.room.power_levels", { users, ...levels });
  room.set("m.room.join_rules", { join_rule: joinRule });
  return room;
}

function domainOf(userId: string): string {
  return userId.slice(userId.indexOf(":") + 1);
}
