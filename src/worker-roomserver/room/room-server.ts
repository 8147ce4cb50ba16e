import type { UserId } from "../../matrix/identifiers.ts";
import type { JsonObject } from "../../matrix/json.ts";
import { strippedStateTypes } from "../../matrix/stripped-state.ts";
import { later } from "../node/later.ts";
import type { JsonBytes, Requester, RequestId } from "../node/requester.ts";
import type { EventNid, Membership, Nid, Position, SnapshotNid } from "../storage/schema.ts";
import type {
  ClientEvent,
  CreateRoomBody,
  EventsAround,
  MembershipInfo,
  MessagesQuery,
  RelationsQuery,
  RoomForClient,
  RoomForReaders,
  RoomUpgrade,
  StatePart,
  StoredEvent,
  ThreadsQuery,
  TimelineChunk,
  Viewer,
} from "./api.ts";
import { clientEvent, strippedEvent } from "./client-event.ts";
import type { RoomInput } from "./input/api.ts";
import { readAbout } from "./out-of-band/about-room.ts";
import type { RoomParts } from "./parts.ts";
import type { MembershipChange } from "./perform/member-step.ts";
import { announceProfile, changeMembership, leaveAll } from "./perform/membership.ts";
import { redact, sendEvent } from "./perform/send.ts";
import { setState } from "./perform/set-state.ts";
import { requireActive, requireActiveUnlessLeaving } from "./perform/suspension.ts";
import { accessTo } from "./query/access.ts";
import { presented } from "./query/aggregations.ts";
import { eventByTime } from "./query/event-by-time.ts";
import { eventsAround } from "./query/events-around.ts";
import { heroesIn } from "./query/heroes.ts";
import { context, event, messages } from "./query/messages.ts";
import { relations } from "./query/relations.ts";
import { replacementsOf } from "./query/replacements.ts";
import { joinedMembers, members, roomState, stateEvent } from "./query/state.ts";
import { threads } from "./query/threads.ts";
import { hasEvents, snapshotAt, timelineChunk } from "./query/timeline.ts";

/** What the room server tells and asks of users beyond their accounts. */
export type RoomServerHooks = {
  /** A user has sent something. */
  onActivity: (userId: UserId) => void;
  /** The users whom a user ignores. */
  ignoredBy: (userId: UserId) => Promise<ReadonlySet<string>>;
};

const creating = later(() => import("./perform/create-room.ts"));
const forgetting = later(() => import("./perform/forget.ts"));
const upgrading = later(() => import("./perform/upgrade.ts"));

/** The room server: it alone writes events and says what a room's state is. */
export class RoomServer implements RoomForClient, RoomForReaders {
  readonly #parts: RoomParts;
  readonly #onActivity: (userId: UserId) => void;
  readonly #ignoredBy: (userId: UserId) => Promise<ReadonlySet<string>>;

  constructor(parts: RoomParts, { onActivity, ignoredBy }: RoomServerHooks) {
    this.#parts = parts;
    this.#onActivity = onActivity;
    this.#ignoredBy = ignoredBy;
  }

  /** The way in for events of other servers. */
  get input(): RoomInput {
    return this.#parts.input;
  }

  async createRoom(
    request: RequestId,
    requester: Requester,
    body: CreateRoomBody,
  ): Promise<{ room_id: string }> {
    requireActive(requester);
    const { createRoom } = await creating();
    return createRoom(this.#parts, request, requester, body);
  }

  async sendEvent(
    requester: Requester,
    event: { roomId: string; type: string; txnId: string; content: JsonObject; ts?: number | undefined },
  ): Promise<{ event_id: string }> {
    requireActive(requester);
    this.#onActivity(requester.userId);
    return sendEvent(this.#parts, requester, event);
  }

  async setState(
    request: RequestId,
    requester: Requester,
    state: { roomId: string; type: string; stateKey: string; content: JsonObject; ts?: number | undefined },
  ): Promise<{ event_id: string }> {
    requireActiveUnlessLeaving(requester, {
      isOwnMembership: state.type === "m.room.member" && state.stateKey === requester.userId,
      membership: state.content.membership,
    });
    return setState(this.#parts, request, requester, state);
  }

  redact(
    requester: Requester,
    redaction: { roomId: string; eventId: string; txnId: string; content: JsonObject },
  ): Promise<{ event_id: string }> {
    return redact(this.#parts, requester, redaction);
  }

  async changeMembership(
    request: RequestId,
    requester: Requester,
    change: MembershipChange,
  ): Promise<{ room_id: string }> {
    requireActiveUnlessLeaving(requester, {
      isOwnMembership: change.target === requester.userId,
      membership: change.action,
    });
    return changeMembership(this.#parts, request, requester, change);
  }

  async forget(requester: Requester, roomId: string): Promise<void> {
    const { forget } = await forgetting();
    return forget(this.#parts, requester, roomId);
  }

  async upgrade(
    request: RequestId,
    requester: Requester,
    upgrade: RoomUpgrade,
  ): Promise<{ replacement_room: string }> {
    requireActive(requester);
    this.#onActivity(requester.userId);
    const { upgradeRoom } = await upgrading();
    return upgradeRoom(this.#parts, request, requester, upgrade);
  }

  /** Brings the user's member events up to date with their profile. */
  announceProfile(userId: UserId): Promise<void> {
    return announceProfile(this.#parts, userId);
  }

  /** Leaves every room of an account that is closed. */
  leaveAll(userId: UserId): Promise<void> {
    return leaveAll(this.#parts, userId);
  }

  async joinedRooms(requester: Requester): Promise<{ joined_rooms: string[] }> {
    await this.#parts.storage.settled();
    const infos = await this.membershipsOf(requester.userId);
    return {
      joined_rooms: infos.filter(({ membership }) => membership === "join").map(({ roomId }) => roomId),
    };
  }

  joinedMembers(requester: Requester, roomId: string): Promise<JsonBytes> {
    return joinedMembers(this.#parts, requester, roomId);
  }

  members(
    requester: Requester,
    roomId: string,
    query: { at?: string | undefined; membership?: string | undefined; not_membership?: string | undefined },
  ): Promise<JsonBytes> {
    return members(this.#parts, requester, roomId, query);
  }

  state(requester: Requester, roomId: string): Promise<JsonBytes> {
    return roomState(this.#parts, requester, roomId);
  }

  stateEvent(
    requester: Requester,
    key: { roomId: string; type: string; stateKey: string; format: "content" | "event" },
  ): Promise<JsonObject> {
    return stateEvent(this.#parts, requester, key);
  }

  async event(requester: Requester, roomId: string, eventId: string): Promise<JsonBytes> {
    const ignored = await this.#ignoredBy(requester.userId);
    return event(this.#parts, requester, roomId, eventId, ignored);
  }

  async context(
    requester: Requester,
    roomId: string,
    eventId: string,
    query: { limit: number; filter: JsonObject },
  ): Promise<JsonBytes> {
    const ignored = await this.#ignoredBy(requester.userId);
    return context(this.#parts, requester, roomId, eventId, query, ignored);
  }

  async messages(requester: Requester, roomId: string, query: MessagesQuery): Promise<JsonBytes> {
    return messages(this.#parts, requester, roomId, query, await this.#ignoredBy(requester.userId));
  }

  async relations(
    requester: Requester,
    roomId: string,
    eventId: string,
    query: RelationsQuery,
  ): Promise<JsonBytes> {
    const ignored = await this.#ignoredBy(requester.userId);
    return relations(this.#parts, requester, roomId, eventId, query, ignored);
  }

  async threads(requester: Requester, roomId: string, query: ThreadsQuery): Promise<JsonBytes> {
    return threads(this.#parts, requester, roomId, query, await this.#ignoredBy(requester.userId));
  }

  eventByTime(
    requester: Requester,
    roomId: string,
    query: { ts: number; dir: "f" | "b" },
  ): Promise<{ event_id: string; origin_server_ts: number }> {
    return eventByTime(this.#parts, requester, roomId, query);
  }

  resolveAlias(alias: string): Promise<{ room_id: string; servers: string[] }> {
    return this.#parts.directory.resolve(alias);
  }

  async setAlias(
    request: RequestId,
    requester: Requester,
    alias: string,
    roomId: string,
  ): Promise<JsonObject> {
    requireActive(requester);
    return this.#parts.directory.set(request, requester, alias, roomId);
  }

  deleteAlias(request: RequestId, requester: Requester, alias: string): Promise<JsonObject> {
    return this.#parts.directory.delete(request, requester, alias);
  }

  async aliasesOf(requester: Requester, roomId: string): Promise<{ aliases: string[] }> {
    await accessTo(this.#parts, requester, roomId);
    return this.#parts.directory.of(roomId);
  }

  visibility(roomId: string): Promise<{ visibility: "public" | "private" }> {
    return this.#parts.directory.visibility(roomId);
  }

  async setVisibility(requester: Requester, roomId: string, visibility: "public" | "private"): Promise<void> {
    requireActive(requester);
    return this.#parts.directory.setVisibility(requester, roomId, visibility);
  }

  async membershipsOf(userId: string): Promise<MembershipInfo[]> {
    return [...(await this.#parts.memberships.of(userId)).values()];
  }

  async membershipOf(userId: string, room: Nid): Promise<MembershipInfo | undefined> {
    return (await this.#parts.memberships.of(userId)).get(room);
  }

  usersIn(room: Nid, membership: Membership): Promise<string[]> {
    return this.#parts.memberships.with(room, membership);
  }

  sharingUsers(userId: string): Promise<ReadonlySet<string>> {
    return this.#parts.memberships.sharing(userId);
  }

  memberCounts(room: Nid): Promise<{ joined: number; invited: number }> {
    return this.#parts.memberships.counts(room);
  }

  timeline(room: Nid, range: { after: number; upTo: number; limit: number }): Promise<TimelineChunk> {
    return timelineChunk(this.#parts, room, range);
  }

  hasEvents(room: Nid, range: { after: number; upTo: number }): Promise<boolean> {
    return hasEvents(this.#parts, room, range);
  }

  snapshotAt(room: Nid, position: Position): Promise<SnapshotNid> {
    return snapshotAt(this.#parts, room, position);
  }

  async stateOf(snapshot: SnapshotNid, part: StatePart = "all"): Promise<EventNid[]> {
    const { snapshots, storage } = this.#parts;
    const [chain, member] = await Promise.all([
      snapshots.chain(snapshot),
      storage.names.find("m.room.member"),
    ]);
    if (part === "all") return chain.entries();
    return chain.entries((type) => (type === member) === (part === "members"));
  }

  async stateEntry(snapshot: SnapshotNid, type: string, stateKey: string): Promise<EventNid | undefined> {
    const { names } = this.#parts.storage;
    const [typeNid, keyNid] = await Promise.all([names.find(type), names.find(stateKey)]);
    if (typeNid === undefined || keyNid === undefined) return undefined;
    return (await this.#parts.snapshots.chain(snapshot)).entry(typeNid, keyNid);
  }

  async heroes(snapshot: SnapshotNid, userId: string): Promise<string[]> {
    return heroesIn(this.#parts, await this.stateOf(snapshot, "members"), userId);
  }

  async stateChanges(from: SnapshotNid, to: SnapshotNid): Promise<EventNid[]> {
    const { snapshots } = this.#parts;
    const [before, after] = await Promise.all([snapshots.chain(from), snapshots.chain(to)]);
    return after.changesSince(before);
  }

  events(nids: readonly EventNid[]): Promise<StoredEvent[]> {
    return this.#parts.events.get(nids);
  }

  presentEvents(nids: readonly EventNid[]): Promise<(StoredEvent | undefined)[]> {
    return this.#parts.events.present(nids);
  }

  eventById(eventId: string): Promise<StoredEvent | undefined> {
    return this.#parts.events.byId(eventId);
  }

  async strippedState(room: Nid, userId: string): Promise<JsonObject[]> {
    const info = await this.membershipOf(userId, room);
    if (info === undefined) return [];
    const own = await this.#parts.events.getOne(info.event);
    if (info.outOfBand) {
      const about = await readAbout(this.#parts.storage, userId, room);
      return [...(about?.state ?? []), strippedEvent(own)];
    }
    const entries = await Promise.all([
      ...strippedStateTypes.map((type) => this.stateEntry(own.stateBefore, type, "")),
      this.stateEntry(own.stateBefore, "m.room.member", own.pdu.sender),
    ]);
    const nids = entries.filter((nid) => nid !== undefined && nid !== own.nid) as EventNid[];
    const events = await this.#parts.events.get(nids);
    return [...events, own].map(strippedEvent);
  }

  async mayUserSee(userId: string, event: StoredEvent): Promise<boolean> {
    return (await this.visibleTo(userId, [event])).length === 1;
  }

  visibleTo(userId: string, events: readonly StoredEvent[]): Promise<StoredEvent[]> {
    return this.#parts.visibility.visibleTo(userId, events);
  }

  replacements(events: readonly StoredEvent[]): Promise<Map<EventNid, StoredEvent>> {
    return replacementsOf(this.#parts, events);
  }

  around(
    event: StoredEvent,
    to: { userId: string; ignored: ReadonlySet<string> },
    limits: { before: number; after: number },
  ): Promise<EventsAround> {
    return eventsAround(this.#parts, event, to, limits);
  }

  clientEvents(
    events: readonly StoredEvent[],
    to: Viewer,
    options: { form: "sync" | "full"; ignored: ReadonlySet<string> },
  ): Promise<ClientEvent[]> {
    return presented(this.#parts, to, events, options);
  }

  clientEvent(event: StoredEvent, to: Viewer, form: "sync" | "full"): ClientEvent {
    return clientEvent(event, to, form, this.#parts.now());
  }

  async readable(requester: Requester, roomId: string): Promise<Nid> {
    return (await accessTo(this.#parts, requester, roomId)).head.nid;
  }

  nid(roomId: string): Promise<Nid | undefined> {
    return this.#parts.storage.names.find(roomId);
  }
}
