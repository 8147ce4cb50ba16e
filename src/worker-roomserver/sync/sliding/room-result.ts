import type { JsonObject } from "../../../matrix/json.ts";
import type { Requester } from "../../node/requester.ts";
import { positionToken } from "../../node/tokens.ts";
import type { StoredEvent } from "../../room/api.ts";
import type { Position, SnapshotNid } from "../../storage/schema.ts";
import type { Readers } from "../readers.ts";
import type { Serialisers } from "../serialiser.ts";
import { roomSummary } from "../summary.ts";
import { emptyTimeline, loadTimeline, type Timeline } from "../timeline.ts";
import type { SentRoom } from "./connection.ts";
import { requiredEvents } from "./required-events.ts";
import type { Wanted } from "./required-state.ts";
import type { RoomFactsCache } from "./room-facts.ts";
import type { ListedRoom } from "./room-list.ts";

/** Events of one timeline, whatever a client asks for. */
const MOST_EVENTS = 100;

export type RoomRequest = Serialisers & {
  requester: Requester;
  listed: ListedRoom;
  wanted: Wanted;
  sent: SentRoom | undefined;
  /** Where the connection stands; 0 for one that begins. */
  since: Position;
  upTo: Position;
  isDirect: boolean;
  ignored: ReadonlySet<string>;
  /** Whether the log has something of the room within the span of the connection. */
  hasNews: boolean;
};

/** `json`: undefined where there is nothing to tell. */
export type RoomResult = { json: JsonObject | undefined; isInitial: boolean; sent: SentRoom };

/** What one room of a list or subscription is answered with. */
export async function roomResult(
  readers: Readers,
  facts: RoomFactsCache,
  request: RoomRequest,
): Promise<RoomResult | undefined> {
  switch (request.listed.membership) {
    case "invite":
    case "knock":
      return outsideResult(readers, request);
    case "join":
    case "leave":
    case "ban":
      return memberResult(readers, facts, request);
  }
}

/** Of a room that the user is not in yet, they get what came with the invite. */
async function outsideResult(readers: Readers, request: RoomRequest): Promise<RoomResult | undefined> {
  const { listed, sent, requester, ignored } = request;
  const [member] = await readers.room.events([listed.event]);
  if (member === undefined || ignored.has(member.pdu.sender)) return undefined;
  const now = sentNow(request, new Set());
  if (sent !== undefined && listed.since <= (sent.upTo ?? request.since)) {
    return { json: undefined, isInitial: false, sent: now };
  }
  const json = {
    initial: true,
    membership: listed.membership,
    bump_stamp: listed.since,
    invite_state: await readers.room.strippedState(listed.room, requester.userId),
    ...(request.isDirect && { is_dm: true }),
    notification_count: 0,
    highlight_count: 0,
  };
  return { json, isInitial: true, sent: now };
}

async function memberResult(
  readers: Readers,
  facts: RoomFactsCache,
  request: RoomRequest,
): Promise<RoomResult> {
  const { requester, listed, wanted, sent } = request;
  const { userId } = requester;
  const isJoined = listed.membership === "join";
  // What comes after one has left is not one's own to see.
  const end = isJoined ? request.upTo : Math.min(listed.since, request.upTo);
  const isInitial = sent === undefined || (isJoined && sent.membership !== "join");
  const since = isInitial ? 0 : Math.min(sent.upTo ?? request.since, end);
  const isExpanded = !isInitial && wanted.timelineLimit > sent.timelineLimit;
  const sameState = sent?.stateKey === wanted.key;
  const mayHaveChanged =
    sent?.upTo !== undefined || request.hasNews || sent?.membership !== listed.membership;
  if (!isInitial && !isExpanded && sameState && !mayHaveChanged && sent.isDirect === request.isDirect) {
    return { json: undefined, isInitial, sent: { ...sent, upTo: undefined } };
  }

  const timeline = await timelineOf(readers, request, isInitial || isExpanded ? 0 : since, end);
  const required = await requiredEvents(readers.room, {
    wanted: sameState && sent !== undefined ? sent.state : wanted.state,
    before: isInitial
      ? undefined
      : { state: await readers.room.snapshotAt(listed.room, since), wanted: sent.state },
    state: timeline.end,
    timeline: timeline.events,
    limited: timeline.limited,
    lazyMembers: sent?.lazyMembers ?? new Set(),
  });
  const hasRead =
    !isInitial &&
    (await readers.receipts.changed(listed.room, userId, since, end)).some(
      (receipt) => receipt.userId === userId,
    );
  const now = {
    ...sentNow(request, required.lazyMembers),
    state: sameState && sent ? sent.state : wanted.state,
  };
  const live = timeline.events.filter((event) => event.order > since);
  const changedDirect = sent !== undefined && sent.isDirect !== request.isDirect;
  if (
    !isInitial &&
    !isExpanded &&
    !hasRead &&
    !changedDirect &&
    live.length === 0 &&
    !timeline.limited &&
    required.events.length === 0 &&
    required.changes.length === 0
  ) {
    return { json: undefined, isInitial, sent: now };
  }
  const counts = await readers.push.counts(userId, listed.room);
  const events = await request.serialiseTimeline(timeline.events, request.ignored);
  const json: JsonObject = {
    ...(isInitial && { initial: true }),
    ...(isExpanded && { unstable_expanded_timeline: true }),
    membership: listed.membership,
    bump_stamp: isJoined ? await facts.bump(listed.room, end) : listed.since,
    ...(await appearance(readers, request, timeline.end, isInitial ? undefined : required.changes)),
    ...((request.isDirect || changedDirect) && { is_dm: request.isDirect }),
    ...(required.events.length > 0 && {
      required_state: required.events.map((event) => request.serialise(event)),
    }),
    ...(events.length > 0 && { timeline: events }),
    prev_batch: positionToken(timeline.before),
    limited: timeline.limited,
    num_live: request.since === 0 ? 0 : timeline.events.filter((event) => event.order > request.since).length,
    notification_count: counts.notification_count,
    highlight_count: counts.highlight_count,
  };
  return { json, isInitial, sent: now };
}

function sentNow({ listed, wanted, isDirect }: RoomRequest, lazyMembers: ReadonlySet<string>): SentRoom {
  return {
    upTo: undefined,
    membership: listed.membership,
    timelineLimit: wanted.timelineLimit,
    state: wanted.state,
    stateKey: wanted.key,
    lazyMembers,
    isDirect,
  };
}

function timelineOf(
  readers: Readers,
  { requester, listed, wanted, ignored }: RoomRequest,
  since: Position,
  upTo: Position,
): Promise<Timeline> {
  const { room } = listed;
  const limit = Math.min(wanted.timelineLimit, MOST_EVENTS);
  if (limit === 0 || since >= upTo) return emptyTimeline(readers.room, room, upTo);
  const keep = async (events: readonly StoredEvent[]) =>
    readers.room.visibleTo(
      requester.userId,
      events.filter(({ pdu }) => pdu.state_key !== undefined || !ignored.has(pdu.sender)),
    );
  return loadTimeline(readers.room, { room, since, upTo, limit, keep });
}

/**
 * What a list shows of a room: its name, or the people to name it after, its picture, how many are in it.
 * @param changes - undefined for a room that the client does not know
 */
async function appearance(
  { room: rooms }: Readers,
  { listed, requester }: RoomRequest,
  state: SnapshotNid,
  changes: readonly StoredEvent[] | undefined,
): Promise<JsonObject> {
  const changed = (type: string) => changes === undefined || changes.some(({ pdu }) => pdu.type === type);
  const [name, avatar] = await Promise.all([
    textOf(rooms, state, "m.room.name", "name"),
    changed("m.room.avatar") ? textOf(rooms, state, "m.room.avatar", "url") : undefined,
  ]);
  const json: JsonObject = {};
  if (changed("m.room.name")) json.name = name ?? null;
  if (changed("m.room.avatar")) json.avatar = avatar ?? null;
  if (changes === undefined) for (const key of ["name", "avatar"]) if (json[key] === null) delete json[key];
  if (
    listed.membership !== "join" ||
    !(changed("m.room.member") || (name === undefined && changed("m.room.name")))
  ) {
    return json;
  }
  const summary = await roomSummary(rooms, listed.room, state, requester.userId);
  json.joined_count = summary.json["m.joined_member_count"]!;
  json.invited_count = summary.json["m.invited_member_count"]!;
  if (name === undefined && summary.heroes.length > 0)
    json.heroes = await heroesOf(rooms, state, summary.heroes);
  return json;
}

async function heroesOf(
  rooms: Readers["room"],
  state: SnapshotNid,
  heroes: readonly string[],
): Promise<JsonObject[]> {
  const nids = await Promise.all(heroes.map((userId) => rooms.stateEntry(state, "m.room.member", userId)));
  const members = await rooms.events(nids.filter((nid) => nid !== undefined));
  return members.map(({ pdu }) => {
    const { displayname, avatar_url } = pdu.content;
    return {
      user_id: pdu.state_key ?? "",
      ...(typeof displayname === "string" && { displayname }),
      ...(typeof avatar_url === "string" && { avatar_url }),
    };
  });
}

async function textOf(
  rooms: Readers["room"],
  state: SnapshotNid,
  type: string,
  member: string,
): Promise<string | undefined> {
  const nid = await rooms.stateEntry(state, type, "");
  const [event] = nid === undefined ? [] : await rooms.events([nid]);
  const text = event?.pdu.content[member];
  return typeof text === "string" && text !== "" ? text : undefined;
}
