import type { JsonObject } from "../../matrix/json.ts";
import type { Pdu } from "../../matrix/pdu.ts";
import type { RoomSummary } from "../../matrix/room-summary.ts";
import type { ToldRoom } from "../../matrix/told-rooms.ts";
import type { JsonBytes, Requester, RequestId } from "../node/requester.ts";
import type { Write } from "../storage/api.ts";
import type { EventNid, Membership, Nid, Position, SnapshotNid } from "../storage/schema.ts";
import type { RoomsForOwner } from "./console/api.ts";
import type { EventGraphPage, GraphPlace, StateAroundEvent } from "./query/event-graph-api.ts";

/** The body of `POST /createRoom`, checked for its shape at the door. */
export type CreateRoomBody = {
  visibility?: "public" | "private" | undefined;
  room_alias_name?: string | undefined;
  name?: string | undefined;
  topic?: string | undefined;
  invite?: string[] | undefined;
  invite_3pid?: JsonObject[] | undefined;
  room_version?: string | undefined;
  creation_content?: JsonObject | undefined;
  initial_state?: { type: string; state_key?: string | undefined; content: JsonObject }[] | undefined;
  preset?: "private_chat" | "public_chat" | "trusted_private_chat" | undefined;
  is_direct?: boolean | undefined;
  power_level_content_override?: JsonObject | undefined;
};

export type MembershipAction = "join" | "leave" | "invite" | "kick" | "ban" | "unban" | "knock";

export type MessagesQuery = {
  dir: "b" | "f";
  from?: string | undefined;
  to?: string | undefined;
  limit: number;
  filter: JsonObject;
};

export type RelationsQuery = {
  relType?: string | undefined;
  eventType?: string | undefined;
  dir: "b" | "f";
  from?: string | undefined;
  to?: string | undefined;
  /** 1 and up. */
  limit: number;
  /** Undefined where the client has not said: the answer then says nothing of it either. */
  recurse?: boolean | undefined;
};

export type ThreadsQuery = {
  include: "all" | "participated";
  from?: string | undefined;
  /** 1 and up. */
  limit: number;
};

export type HierarchyQuery = {
  suggested_only?: boolean | undefined;
  max_depth?: number | undefined;
  limit?: number | undefined;
  from?: string | undefined;
};

/** A room of the tree, with the `m.space.child` events by which rooms are below it. */
export type HierarchyRoom = RoomSummary & { children_state: JsonObject[] };

/** `membership`: of who asks, if they have said who they are. */
export type RoomSummaryAnswer = (RoomSummary | ToldRoom) & { membership?: Membership };

export type ServerHierarchy = {
  room: HierarchyRoom;
  /** The rooms right below, in their order: those that somebody here is in, and the server may be told of. */
  children: RoomSummary[];
  /** Room ids of those that somebody here is in, and the server may not be told of. */
  inaccessible_children: string[];
};

/** The same as another server tells it. */
export type ToldHierarchy = {
  room: ToldRoom & { children_state: JsonObject[] };
  children: ToldRoom[];
  inaccessible_children: string[];
};

export type RoomUpgrade = {
  roomId: string;
  newVersion: string;
  /** Users who are creators beside the one who upgrades; no matter in versions that have no such. */
  additionalCreators?: readonly string[] | undefined;
};

/**
 * The body of `POST /publicRooms` with the query; of `GET` it has `limit` and `since`. `room_types`: null stands for
 * rooms without a type. `server`: whose directory is meant, if it is not this one's.
 */
export type PublicRoomsQuery = {
  server?: string | undefined;
  include_all_networks?: boolean | undefined;
  third_party_instance_id?: string | undefined;
  limit?: number | undefined;
  since?: string | undefined;
  filter?:
    | { generic_search_term?: string | undefined; room_types?: readonly (string | null)[] | undefined }
    | undefined;
};

/**
 * What the client API asks of the room server. Ids come as clients sent them: grammar is checked here. Whom the requester
 * ignores is left out of `messages`, `context` and what follows, but for state events.
 */
export interface RoomForClient {
  createRoom(request: RequestId, requester: Requester, body: CreateRoomBody): Promise<{ room_id: string }>;
  /** `ts`: milliseconds since 1970, of application services. The same `txnId` of the same device on the same room and type is answered with the same event, for ever. */
  sendEvent(
    requester: Requester,
    event: { roomId: string; type: string; txnId: string; content: JsonObject; ts?: number | undefined },
  ): Promise<{ event_id: string }>;
  /** A state event equal to the current one is not sent again: its id is the answer. */
  setState(
    request: RequestId,
    requester: Requester,
    state: { roomId: string; type: string; stateKey: string; content: JsonObject; ts?: number | undefined },
  ): Promise<{ event_id: string }>;
  redact(
    requester: Requester,
    redaction: { roomId: string; eventId: string; txnId: string; content: JsonObject },
  ): Promise<{ event_id: string }>;
  /**
   * @param change.roomId - for join and knock also an alias
   * @param change.servers - servers that may be in a room that is not here
   * @throws MatrixError what the room's rules refuse, 403; for a room or a user elsewhere, what other servers refuse, and
   *   M_UNKNOWN 502 or 504 where they cannot be reached
   */
  changeMembership(
    request: RequestId,
    requester: Requester,
    change: {
      roomId: string;
      action: MembershipAction;
      target: string;
      servers?: readonly string[] | undefined;
      reason?: string | undefined;
      content?: JsonObject | undefined;
    },
  ): Promise<{ room_id: string }>;
  forget(requester: Requester, roomId: string): Promise<void>;
  /** Makes a room of another version that takes the place of this one. */
  upgrade(
    request: RequestId,
    requester: Requester,
    upgrade: RoomUpgrade,
  ): Promise<{ replacement_room: string }>;

  joinedRooms(requester: Requester): Promise<{ joined_rooms: string[] }>;
  joinedMembers(requester: Requester, roomId: string): Promise<JsonBytes>;
  members(
    requester: Requester,
    roomId: string,
    query: { at?: string | undefined; membership?: string | undefined; not_membership?: string | undefined },
  ): Promise<JsonBytes>;
  /** The whole current state, or the state when the requester left. */
  state(requester: Requester, roomId: string): Promise<JsonBytes>;
  stateEvent(
    requester: Requester,
    key: { roomId: string; type: string; stateKey: string; format: "content" | "event" },
  ): Promise<JsonObject>;
  event(requester: Requester, roomId: string, eventId: string): Promise<JsonBytes>;
  context(
    requester: Requester,
    roomId: string,
    eventId: string,
    query: { limit: number; filter: JsonObject },
  ): Promise<JsonBytes>;
  messages(requester: Requester, roomId: string, query: MessagesQuery): Promise<JsonBytes>;
  relations(requester: Requester, roomId: string, eventId: string, query: RelationsQuery): Promise<JsonBytes>;
  threads(requester: Requester, roomId: string, query: ThreadsQuery): Promise<JsonBytes>;
  /**
   * `GET /rooms/{roomId}/timestamp_to_event`: of the events that the requester may see, the nearest one of that time or
   * after it ("f"), or before it ("b").
   * @param query.ts - milliseconds since 1970
   * @throws MatrixError M_NOT_FOUND (404) where there is none, M_FORBIDDEN (403) for who may not read the room
   */
  eventByTime(
    requester: Requester,
    roomId: string,
    query: { ts: number; dir: "f" | "b" },
  ): Promise<{ event_id: string; origin_server_ts: number }>;

  resolveAlias(alias: string): Promise<{ room_id: string; servers: string[] }>;
  setAlias(request: RequestId, requester: Requester, alias: string, roomId: string): Promise<JsonObject>;
  deleteAlias(request: RequestId, requester: Requester, alias: string): Promise<JsonObject>;
  aliasesOf(requester: Requester, roomId: string): Promise<{ aliases: string[] }>;
  visibility(roomId: string): Promise<{ visibility: "public" | "private" }>;
  setVisibility(requester: Requester, roomId: string, visibility: "public" | "private"): Promise<void>;
}

/** `count`: of all pages. @see https://spec.matrix.org/v1.19/client-server-api/#mutual-rooms */
export type MutualRooms = { joined: string[]; count: number; next_batch?: string };

/** How people find rooms that they are not in, and those that they share. */
export interface RoomDirectory {
  /**
   * Rooms that the requester and somebody else are joined to, at most 200 a page. From memory after the first call for
   * each of the two; goes through the memberships of both.
   * @param from - `next_batch` of the page before
   * @throws MatrixError M_INVALID_PARAM (400) for a user id that is none, is not compliant or is the requester's, and
   *   for a token that was never given out
   */
  mutualRooms(requester: Requester, userId: string, from: string | undefined): Promise<MutualRooms>;
  /** `GET` and `POST /publicRooms`. */
  publicRooms(query: PublicRoomsQuery): Promise<JsonBytes>;
  /**
   * @param requester - undefined for a request without an access token
   * @param via - servers to ask about a room that nobody here is in
   */
  summary(
    requester: Requester | undefined,
    roomIdOrAlias: string,
    via?: readonly string[],
  ): Promise<RoomSummaryAnswer>;
  hierarchy(requester: Requester, roomId: string, query: HierarchyQuery): Promise<JsonBytes>;
  /** The answer to another server that has proved its name; for summaries, too. */
  hierarchyForServer(serverName: string, roomId: string, suggestedOnly: boolean): Promise<ServerHierarchy>;
}

/** What the server's owner sees and does: nothing here asks who calls, which is the caller's to know. */
export interface RoomConsole extends RoomsForOwner {
  /**
   * A room's events with what they refer to, from the newest on, those that no timeline shows among them. Costs the
   * events of the page, at most `limit`.
   */
  eventGraph(roomId: string, page: { from?: GraphPlace; limit: number }): Promise<EventGraphPage>;
  /** The state before and after an event, side by side. Costs one state, and the events of the page. */
  stateAtEvent(
    roomId: string,
    eventId: string,
    page: { from?: number; limit: number },
  ): Promise<StateAroundEvent>;
  /** Removes a room; its members here leave first, unless `leave` is false. */
  purge(roomId: string, options?: { leave: boolean }): Promise<void>;
}

/** An event as the components in the worker see it. `pdu` is shared: never change it. */
export type StoredEvent = {
  nid: EventNid;
  eventId: string;
  room: Nid;
  roomId: string;
  /**
   * Place in the room's timeline; for events taken in live, their position in the log. 0 for what is in no timeline:
   * outliers, rejected and soft-failed events.
   */
  order: number;
  /** 0 for an outlier: not known. */
  stateBefore: SnapshotNid;
  /** The same as before it, unless it is a state event that was not rejected. */
  stateAfter: SnapshotNid;
  /** The room's current state once this event was taken in live; of others, the state after it. */
  current: SnapshotNid;
  pdu: Pdu;
  /** What the auth rules go by where a redaction took some of that away from `pdu`. */
  authPdu?: Pdu;
  /** 0 accepted, 1 rejected, 2 soft-failed. */
  status: 0 | 1 | 2;
  /** Why it was rejected or soft-failed; "" for an accepted event. */
  reason: string;
  /** Known for what it authorises, without a place in the room's history. */
  isOutlier: boolean;
  /**
   * A member event that came without its room (out-of-band/api.ts): an outlier that is found by its number alone. `order` is
   * its position in the log, though no timeline has it.
   */
  isOutOfBand?: true;
  /**
   * Of an event that was taken in live: the room's forward extremities after it. Of a rejected or soft-failed one:
   * those that it is built upon.
   */
  extremities: readonly EventNid[];
  /** Whether events right before it are not known here. */
  afterGap: boolean;
  /** Id of the event that redacted this one, "" if none has; `pdu` is then the redacted form. */
  redactedBy: string;
  redaction?: StoredEvent;
  /** The state event that this one took the place of, or 0. */
  replaces: EventNid;
  replaced?: { eventId: string; content: JsonObject; sender: string };
  /** The device is "" where it was sent without one. */
  sentBy: [deviceId: string, txnId: string] | null;
};

/** Whom events are shown to. */
export type Viewer = { userId: string; deviceId?: string | undefined };

export type MembershipInfo = {
  room: Nid;
  roomId: string;
  membership: Membership;
  /** The member event. */
  event: EventNid;
  /** Position at which it took effect. */
  since: Position;
  forgotten: boolean;
  /** By an event that came without the room: what the room says is not known here. See out-of-band/api.ts. */
  outOfBand?: true;
};

/** A stretch of a room's timeline, oldest first. */
export type TimelineChunk = {
  events: StoredEvent[];
  /** True when there are older events in the stretch asked for that were left out. */
  limited: boolean;
  /** The room's current state just before the first of `events` (at the stretch's end if there are none). */
  stateBefore: SnapshotNid;
};

/** What stands around an event in its timeline, with the tokens to go on from in either direction. */
export type EventsAround = {
  /** The nearest first. */
  before: StoredEvent[];
  after: StoredEvent[];
  start: string;
  end: string;
};

/** Entries of a state: all, those of `m.room.member`, or the others. */
export type StatePart = "all" | "members" | "others";

/** What the readers of the log (sync, push, search) ask of the room server. */
export interface RoomForReaders {
  /** Every room in which the user has any membership. From memory after the first call for a user. */
  membershipsOf(userId: string): Promise<MembershipInfo[]>;
  /** One record. */
  membershipOf(userId: string, room: Nid): Promise<MembershipInfo | undefined>;
  /** User ids of those with the membership in the room, in no order. One index range. */
  usersIn(room: Nid, membership: Membership): Promise<string[]>;
  /** Users that share a joined room with the user, without the user: the same set until a membership changes. */
  sharingUsers(userId: string): Promise<ReadonlySet<string>>;
  /** Numbers of members, for `m.joined_member_count`. Two index counts, no rows read. */
  memberCounts(room: Nid): Promise<{ joined: number; invited: number }>;

  /**
   * The newest `limit` events of the room with `after < order <= upTo` (both orders are log positions).
   * One range of an index, rows included.
   */
  timeline(room: Nid, range: { after: number; upTo: number; limit: number }): Promise<TimelineChunk>;
  /** Whether the room has any event with `after < order <= upTo`. One key. */
  hasEvents(room: Nid, range: { after: number; upTo: number }): Promise<boolean>;
  /** The room's current state as it was when the log stood at `position`. One row. */
  snapshotAt(room: Nid, position: Position): Promise<SnapshotNid>;
  /** Event nids of a snapshot. A few records, however large the room. */
  stateOf(snapshot: SnapshotNid, part?: StatePart): Promise<EventNid[]>;
  /** One entry of a snapshot. */
  stateEntry(snapshot: SnapshotNid, type: string, stateKey: string): Promise<EventNid | undefined>;
  /** The members whom a user's clients name a room after that has no name: at most five. Mostly one page of events. */
  heroes(snapshot: SnapshotNid, userId: string): Promise<string[]>;
  /** Entries that differ in `to`, as event nids (entries that are gone in `to` are left out). */
  stateChanges(from: SnapshotNid, to: SnapshotNid): Promise<EventNid[]>;
  /** Events by nid, in the order asked for. One read each for those that are not in memory, in one transaction. */
  events(nids: readonly EventNid[]): Promise<StoredEvent[]>;
  /**
   * The same for who follows the log: its entries name events of rooms that have since been purged, and for those it
   * gives undefined.
   */
  presentEvents(nids: readonly EventNid[]): Promise<(StoredEvent | undefined)[]>;
  eventById(eventId: string): Promise<StoredEvent | undefined>;
  /** The stripped state of an invite or knock, ready for `invite_state.events` / `knock_state.events`. */
  strippedState(room: Nid, userId: string): Promise<JsonObject[]>;
  /**
   * Whether the user may see the event, under the room's history visibility.
   * @see https://spec.matrix.org/v1.19/client-server-api/#server-behaviour-6
   */
  mayUserSee(userId: string, event: StoredEvent): Promise<boolean>;
  /** Leaves out the events that the user may not see. Cheaper than asking for each. */
  visibleTo(userId: string, events: readonly StoredEvent[]): Promise<StoredEvent[]>;
  /**
   * The valid edit that counts of each event that was edited, by its number: whoever may see it. Costs a range of small
   * rows for each event that something relates to, and its edits.
   * @param events - of one room
   */
  replacements(events: readonly StoredEvent[]): Promise<Map<EventNid, StoredEvent>>;
  /** What the user may see right before and after an event of a timeline: reads as many events as are asked for. */
  around(
    event: StoredEvent,
    to: { userId: string; ignored: ReadonlySet<string> },
    limits: { before: number; after: number },
  ): Promise<EventsAround>;
  /**
   * Events of one room as a device gets them in a timeline or a list of results, `unsigned` whole: with the user's
   * membership at each, and `m.relations`. Of events that the user may see. Costs nothing where nothing relates to them
   * and the user has been joined since before.
   * @param options.ignored - users whose events are not summed up
   */
  clientEvents(
    events: readonly StoredEvent[],
    to: Viewer,
    options: { form: "sync" | "full"; ignored: ReadonlySet<string> },
  ): Promise<ClientEvent[]>;
  /**
   * A single event in the form that clients get, for this device (`unsigned.transaction_id` is its own business): for
   * state, which goes without what is summed up.
   */
  clientEvent(event: StoredEvent, to: Viewer, form: "sync" | "full"): ClientEvent;
  /**
   * The nid of a room that somebody may read: as a member, as one who was one, or as anybody where it is open to all.
   * @throws MatrixError M_FORBIDDEN (403)
   */
  readable(requester: Requester, roomId: string): Promise<Nid>;
  /** The nid of a room id, undefined if it has never been met here. */
  nid(roomId: string): Promise<Nid | undefined>;
}

/**
 * An event as clients get it; with `room_id` in the "full" form and without in the "sync" form.
 * @see https://spec.matrix.org/v1.19/client-server-api/#room-event-format
 */
export type ClientEvent = JsonObject & {
  type: string;
  sender: string;
  event_id: string;
  origin_server_ts: number;
  content: JsonObject;
  unsigned?: JsonObject;
};

/** What requests with a transaction id were answered, for components that have such requests of their own. */
export interface SendTransactions {
  /**
   * What this transaction of the device was answered, undefined if it is new. Call it in a lock that a second request of
   * the same transaction has to take as well.
   * @param transaction - the request's path and transaction id
   */
  find(userId: string, deviceId: string | undefined, transaction: string): Promise<string | undefined>;
  /** Puts the answer into the unit of what the request did. */
  record(
    write: Write,
    userId: string,
    deviceId: string | undefined,
    transaction: string,
    answer: string,
  ): void;
}
