import { authTypesFor } from "../../../../src/matrix/auth-events.ts";
import { encodeBase64 } from "../../../../src/matrix/base64.ts";
import { referenceHash } from "../../../../src/matrix/hashes.ts";
import type { JsonObject, JsonValue } from "../../../../src/matrix/json.ts";
import { type ReceivedEvent, readReceivedEvent } from "../../../../src/matrix/received-event.ts";
import { type RoomVersionRules, roomVersionRules } from "../../../../src/matrix/room-versions.ts";
import type { WholeRoom } from "../../../../src/worker-roomserver/room/input/api.ts";
import type { GuestServer, Made } from "./guest-server.ts";

const keyOf = (type: string, stateKey: string) => JSON.stringify([type, stateKey]);

/** A room that lives at the other server, of which the node knows nothing. All events are of users there. */
export class GuestRoom {
  readonly version: string;
  readonly rules: RoomVersionRules;
  readonly owner: string;
  roomId = "";
  readonly #server: GuestServer;
  readonly #state = new Map<string, Made>();
  #last: Made | undefined;

  static async of(server: GuestServer, version = "10"): Promise<GuestRoom> {
    const room = new GuestRoom(server, version);
    await room.#begin();
    return room;
  }

  private constructor(server: GuestServer, version: string) {
    this.#server = server;
    this.version = version;
    this.rules = roomVersionRules(version)!;
    this.owner = server.user("owner");
  }

  async #begin(): Promise<void> {
    const { version, owner, rules } = this;
    const hasId = !rules.roomIdIsCreateHash;
    if (hasId) this.roomId = `!${crypto.randomUUID()}:${this.#server.serverName}`;
    const creator = rules.creatorIsSender ? {} : { creator: owner };
    const create = await this.set("m.room.create", { room_version: version, ...creator });
    if (!hasId) this.roomId = `!${create.eventId.slice(1)}`;
    await this.set("m.room.member", { membership: "join", displayname: "Owner" }, owner);
    await this.set("m.room.power_levels", { users: hasId ? { [owner]: 100 } : {} });
    await this.set("m.room.join_rules", { join_rule: "invite" });
    await this.set("m.room.name", { name: "Far away" });
  }

  /** A state event that the room has from now on. */
  async set(type: string, content: JsonObject, stateKey = "", sender = this.owner): Promise<Made> {
    const made = await this.make(type, content, stateKey, sender);
    this.add(made);
    return made;
  }

  add(made: Made): void {
    this.#state.set(keyOf(made.pdu.type, made.pdu.state_key ?? ""), made);
    this.#last = made;
  }

  /** A state event that the room does not have. @param over - what is otherwise in it */
  make(
    type: string,
    content: JsonObject,
    stateKey = "",
    sender = this.owner,
    over: JsonObject = {},
  ): Promise<Made> {
    const wanted = authTypesFor({ type, sender, state_key: stateKey, content }, this.rules);
    const auth = wanted
      .map(([t, key]) => this.#state.get(keyOf(t, key)))
      .filter((event) => event !== undefined);
    const depth = (this.#last?.pdu.depth ?? 0) + 1;
    const draft = {
      ...{ type, sender, state_key: stateKey, content, depth, origin_server_ts: Date.now() },
      prev_events: this.#last === undefined ? [] : [this.#reference(this.#last)],
      auth_events: auth.map((event) => this.#reference(event)),
      ...(this.roomId !== "" && { room_id: this.roomId }),
      ...over,
    };
    return this.#server.sign(draft, this.version);
  }

  invite(userId: string, content: JsonObject = {}): Promise<Made> {
    return this.make("m.room.member", { membership: "invite", ...content }, userId);
  }

  get state(): Made[] {
    return [...this.#state.values()];
  }

  /** What an invite tells of the room. */
  get told(): Made[] {
    const told = ["m.room.create", "m.room.name", "m.room.join_rules"];
    const owner = this.#state.get(keyOf("m.room.member", this.owner))!;
    return [...this.state.filter(({ pdu }) => told.includes(pdu.type)), owner];
  }

  /** The room as the answer to a join of this event would give it. */
  answer(event: Pick<Made, "json">): WholeRoom {
    const read = ({ json }: Pick<Made, "json">): ReceivedEvent => readReceivedEvent(json, this.rules);
    return {
      version: this.version,
      event: read(event),
      state: this.state.map(read),
      authChain: this.state.map(read),
    };
  }

  #reference({ eventId, pdu }: Made): JsonValue {
    if (this.rules.eventIdFormat !== "domain") return eventId;
    return [eventId, { sha256: encodeBase64(referenceHash(pdu, this.rules)) }];
  }
}
