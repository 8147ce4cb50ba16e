import { authTypesFor } from "../../../../src/matrix/auth-events.ts";
import { authEventIds, prevEventIds } from "../../../../src/matrix/event-format.ts";
import { eventIdOf } from "../../../../src/matrix/hashes.ts";
import type { JsonObject, JsonValue } from "../../../../src/matrix/json.ts";
import type { Pdu } from "../../../../src/matrix/pdu.ts";
import { type RoomVersionRules, roomVersionRules } from "../../../../src/matrix/room-versions.ts";
import { type EventDraft, finishEvent, type SigningKey } from "../../../../src/matrix/signing.ts";

/** An event as it goes over the wire. Other tests than those of bad events may take it for a `ReceivedEvent`. */
export type PeerEvent = { eventId: string; pdu: Pdu; json: string };

/** What a test says of an event; the rest is filled in from where the room stands. */
export type PeerEventFields = {
  type: string;
  /** A whole user id; by default the room's creator. */
  sender?: string;
  state_key?: string;
  content?: JsonObject;
  /** Ids of the events that it comes after; by default the room's forward extremities. */
  prev?: readonly string[];
  /** Ids of what authorises it; by default what the state before it has. */
  auth?: readonly string[];
  /** Anything of the PDU that should be otherwise before it is hashed and signed; undefined leaves it out. */
  pdu?: JsonObject;
  /**
   * `hash`: the content is changed once it is signed, so that it is taken for a redacted copy. `signature`: signed by a
   * key that is not the server's, under the id of that which is. `unsigned`: not signed at all. `unknownKey`: signed by a
   * key that the server does not publish.
   */
  bad?: "hash" | "signature" | "unsigned" | "unknownKey";
};

type Signer = { serverName: string; key: SigningKey; forged: SigningKey };
type State = ReadonlyMap<string, string>;

const stateKeyOf = (type: string, stateKey: string) => JSON.stringify([type, stateKey]);
let clock = 1_700_000_000_000;

/**
 * A room as the peer has it: a graph of events and the state after each. Nothing is authorised, and forks are not
 * resolved (the state after the first of several `prev` counts), so that a test may tell any story.
 */
export class PeerRoom {
  readonly version: string;
  readonly rules: RoomVersionRules;
  readonly events = new Map<string, PeerEvent>();
  roomId = "";
  creator = "";
  /** Ids of events that no other comes after. */
  extremities: string[] = [];
  readonly #signer: Signer;
  readonly #after = new Map<string, State>();
  readonly #before = new Map<string, State>();

  constructor(version: string, signer: Signer) {
    const rules = roomVersionRules(version);
    if (rules === undefined) throw new Error(`There is no room version ${version}.`);
    this.version = version;
    this.rules = rules;
    this.#signer = signer;
  }

  get #current(): State {
    return this.#after.get(this.extremities[0] ?? "") ?? new Map();
  }

  /** An event of the room's present state. */
  state(type: string, stateKey = ""): PeerEvent | undefined {
    return this.events.get(this.#current.get(stateKeyOf(type, stateKey)) ?? "");
  }

  /** The state before an event, or the present one. */
  stateBefore(eventId?: string): PeerEvent[] {
    const state = eventId === undefined ? this.#current : (this.#before.get(eventId) ?? new Map());
    return [...state.values()].flatMap((id) => this.events.get(id) ?? []);
  }

  /** All that authorises these events, recursively, without themselves unless they authorise another. */
  authChain(events: readonly PeerEvent[]): PeerEvent[] {
    const found = new Map<string, PeerEvent>();
    const queue = events.flatMap((event) => this.#authOf(event));
    for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
      const event = this.events.get(id);
      if (event === undefined || found.has(id)) continue;
      found.set(id, event);
      queue.push(...this.#authOf(event));
    }
    return [...found.values()];
  }

  #authOf({ pdu }: PeerEvent): string[] {
    const create = this.rules.roomIdIsCreateHash && pdu.room_id !== undefined;
    return [...authEventIds(pdu), ...(create ? [`$${this.roomId.slice(1)}`] : [])];
  }

  /** An event without hashes and signatures: what make_join answers, for example. */
  draft(fields: PeerEventFields): EventDraft {
    const { type, sender = this.creator, state_key, content = {}, prev = this.extremities } = fields;
    const before = this.#after.get(prev[0] ?? "") ?? new Map<string, string>();
    const authTypes = authTypesFor(
      { type, sender, content, ...(state_key !== undefined && { state_key }) },
      this.rules,
    );
    const auth = fields.auth ?? authTypes.flatMap(([t, key]) => before.get(stateKeyOf(t, key)) ?? []);
    const depths = prev.map((id) => this.events.get(id)?.pdu.depth ?? 0);
    clock += 1;
    const draft: JsonObject = {
      ...{ type, sender, content, origin_server_ts: clock, depth: Math.max(0, ...depths) + 1 },
      prev_events: prev.map((id) => this.#reference(id)),
      auth_events: auth.map((id) => this.#reference(id)),
      ...(state_key !== undefined && { state_key }),
      ...(this.roomId !== "" && { room_id: this.roomId }),
      ...(this.rules.eventIdFormat === "domain" && {
        event_id: `$${crypto.randomUUID()}:${this.#signer.serverName}`,
      }),
    };
    for (const [name, value] of Object.entries(fields.pdu ?? {})) {
      if (value === undefined) delete draft[name];
      else draft[name] = value;
    }
    return draft as EventDraft;
  }

  /** Makes an event that the room does not have yet. */
  async make(fields: PeerEventFields): Promise<PeerEvent> {
    const { serverName, key, forged } = this.#signer;
    const signing = {
      ...{ signature: { ...forged, keyId: key.keyId }, unknownKey: forged },
      ...{ hash: key, unsigned: key, none: key },
    }[fields.bad ?? "none"];
    const made = await finishEvent(this.draft(fields), this.rules, serverName, signing);
    if (fields.bad !== "hash" && fields.bad !== "unsigned") return made;
    const pdu: Pdu =
      fields.bad === "hash"
        ? { ...made.pdu, content: { ...made.pdu.content, "org.example.added": true } }
        : { ...made.pdu, signatures: {} };
    return { eventId: eventIdOf(pdu, this.rules), pdu, json: JSON.stringify(pdu) };
  }

  /** Makes an event and puts it into the room. */
  async send(fields: PeerEventFields): Promise<PeerEvent> {
    return this.add(await this.make(fields));
  }

  /** Puts an event into the room, from here or from elsewhere. */
  add(event: PeerEvent): PeerEvent {
    const { eventId, pdu } = event;
    if (this.events.has(eventId)) return event;
    if (this.roomId === "") this.#begin(event);
    const prev = prevEventIds(pdu);
    const before: State = this.#after.get(prev[0] ?? "") ?? new Map();
    this.#place(event, before);
    this.extremities = [eventId, ...this.extremities.filter((id) => !prev.includes(id))];
    return event;
  }

  /** Puts an event into the room with the state before it, as the answer to a join gives it. */
  adopt(event: PeerEvent, state: readonly PeerEvent[], authChain: readonly PeerEvent[]): void {
    for (const known of [...authChain, ...state]) {
      this.events.set(known.eventId, known);
      if (known.pdu.type === "m.room.create") this.#begin(known);
    }
    this.#place(
      event,
      new Map(state.map(({ eventId, pdu }) => [stateKeyOf(pdu.type, pdu.state_key ?? ""), eventId])),
    );
    this.extremities = [event.eventId];
  }

  #begin({ eventId, pdu }: PeerEvent): void {
    this.roomId = this.rules.roomIdIsCreateHash ? `!${eventId.slice(1)}` : (pdu.room_id ?? "");
    this.creator = pdu.sender;
  }

  #place(event: PeerEvent, before: State): void {
    const { eventId, pdu } = event;
    this.events.set(eventId, event);
    this.#before.set(eventId, before);
    const { state_key: stateKey } = pdu;
    this.#after.set(
      eventId,
      stateKey === undefined ? before : new Map([...before, [stateKeyOf(pdu.type, stateKey), eventId]]),
    );
  }

  #reference(id: string): JsonValue {
    if (this.rules.eventIdFormat !== "domain") return id;
    return [id, { sha256: this.events.get(id)?.pdu.hashes.sha256 ?? "" }];
  }
}

/** What of a new room is otherwise than usual. */
export type PeerRoomOptions = {
  version?: string;
  /** A whole user id. */
  creator: string;
  joinRule?: string | JsonObject;
  historyVisibility?: string;
  /** Of m.room.power_levels, beside the creator's own. */
  levels?: JsonObject;
};

/** A room that its creator has joined, with the state that servers set up. */
export async function usualPeerRoom(
  {
    version = "10",
    creator,
    joinRule = "public",
    historyVisibility = "shared",
    levels = {},
  }: PeerRoomOptions,
  signer: Signer,
): Promise<PeerRoom> {
  const room = new PeerRoom(version, signer);
  room.creator = creator;
  const isHash = room.rules.roomIdIsCreateHash;
  await room.send({
    type: "m.room.create",
    state_key: "",
    content: { room_version: version, ...(room.rules.creatorIsSender ? {} : { creator }) },
    ...(!isHash && { pdu: { room_id: `!${crypto.randomUUID()}:${signer.serverName}` } }),
  });
  const set = (type: string, content: JsonObject, stateKey = "") =>
    room.send({ type, content, state_key: stateKey });
  await set("m.room.member", { membership: "join" }, creator);
  const users = room.rules.privilegedCreators ? {} : { [creator]: 100 };
  await set("m.room.power_levels", { users, ...levels });
  await set("m.room.join_rules", typeof joinRule === "string" ? { join_rule: joinRule } : joinRule);
  await set("m.room.history_visibility", { history_visibility: historyVisibility });
  return room;
}
