import type { MembershipInfo, RoomForReaders, StoredEvent } from "../room/api.ts";
import type { EventNid, Membership, Nid, Position } from "../storage/schema.ts";

/** A user's membership as it was at some position. */
export type Standing = { membership: Membership; event: EventNid; since: Position };

/**
 * A room that an answer may have a section for.
 * - `join`: `entered` if the user was not joined at `since` (or asks for the first time), and knows nothing of it.
 * - `leave`: the user has left, or was removed, at `until`; what came after is not theirs to see. `entered` as
 *   above, for rooms joined and left within the span. `joined`: was a member before that; else (a rejected
 *   invite) the room's state is none of their business.
 * - `invite`, `knock`: new within the span.
 */
export type UserRoom = { room: Nid; roomId: string; event: EventNid; memberSince: Position } & (
  | { section: "join"; entered: boolean }
  | { section: "leave"; until: Position; entered: boolean; joined: boolean }
  | { section: "invite" | "knock" }
);

export type Scope = {
  userId: string;
  /** Undefined: everything up to `upTo`, for a client that knows nothing yet. */
  since: Position | undefined;
  upTo: Position;
  includeLeave: boolean;
  wants: (roomId: string) => boolean;
};

/**
 * The rooms that concern a user between two positions, as they stood at the second: memory may already know of
 * later changes, which belong into the next answer.
 */
export async function roomsOf(rooms: RoomForReaders, scope: Scope): Promise<UserRoom[]> {
  const infos = (await rooms.membershipsOf(scope.userId)).filter((info) => scope.wants(info.roomId));
  const found = await Promise.all(
    infos.map((info) => settledRoom(scope, info) ?? userRoom(rooms, scope, info)),
  );
  return found.filter((room) => room !== undefined);
}

/** What most rooms are: joined at both ends of the span, as far as can be told without asking. */
function settledRoom({ since, upTo }: Scope, info: MembershipInfo): UserRoom | undefined {
  if (info.membership !== "join" || since === undefined || info.since > Math.min(since, upTo))
    return undefined;
  const { room, roomId, event } = info;
  return { room, roomId, event, memberSince: info.since, section: "join", entered: false };
}

async function userRoom(
  rooms: RoomForReaders,
  scope: Scope,
  info: MembershipInfo,
): Promise<UserRoom | undefined> {
  const { userId, since, upTo } = scope;
  const now = await standingAt(rooms, userId, info, upTo);
  if (now === undefined) return undefined;
  const room = { room: info.room, roomId: info.roomId, event: now.event, memberSince: now.since };
  const changed = since === undefined || now.since > since;
  switch (now.membership) {
    case "join":
      return { ...room, section: "join", entered: changed && !(await wasJoined(rooms, userId, info, since)) };
    case "invite":
    case "knock":
      return changed ? { ...room, section: now.membership } : undefined;
    case "leave":
    case "ban":
      break;
  }
  // A room that was left within the span is told of even if it is forgotten by now: another device of the user
  // still shows it as joined.
  if (!changed || (since === undefined && (!scope.includeLeave || info.forgotten))) return undefined;
  const entered = !(await wasJoined(rooms, userId, info, since));
  const joined = !entered || (await joinedWithin(rooms, userId, now, since ?? 0));
  return { ...room, section: "leave", until: now.since, entered, joined };
}

async function wasJoined(
  rooms: RoomForReaders,
  userId: string,
  info: MembershipInfo,
  since: Position | undefined,
): Promise<boolean> {
  if (since === undefined) return false;
  return (await standingAt(rooms, userId, info, since))?.membership === "join";
}

/** The user's membership at a position; memory may already know of a later one. */
export async function standingAt(
  rooms: RoomForReaders,
  userId: string,
  info: Pick<MembershipInfo, "membership" | "event" | "since" | "room">,
  position: Position,
): Promise<Standing | undefined> {
  if (info.since <= position) return info;
  const snapshot = await rooms.snapshotAt(info.room, position);
  return standing(await memberEvent(rooms, snapshot, userId));
}

/** Whether the user was joined at any time after `since`, looking back from a member event. */
export async function joinedWithin(
  rooms: RoomForReaders,
  userId: string,
  from: Pick<Standing, "event">,
  since: Position,
): Promise<boolean> {
  let [event] = await rooms.events([from.event]);
  while (event !== undefined && event.order > since) {
    event = await memberEvent(rooms, event.stateBefore, userId);
    if (standing(event)?.membership === "join") return true;
  }
  return false;
}

async function memberEvent(
  rooms: RoomForReaders,
  snapshot: number,
  userId: string,
): Promise<StoredEvent | undefined> {
  const nid = await rooms.stateEntry(snapshot, "m.room.member", userId);
  return nid === undefined ? undefined : (await rooms.events([nid]))[0];
}

function standing(event: StoredEvent | undefined): Standing | undefined {
  if (event === undefined) return undefined;
  // The auth rules let no other value into a room's state.
  return { membership: event.pdu.content.membership as Membership, event: event.nid, since: event.order };
}
