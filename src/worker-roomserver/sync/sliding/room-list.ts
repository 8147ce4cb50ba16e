import type { RoomForReaders } from "../../room/api.ts";
import type { EventNid, Membership, Nid, Position } from "../../storage/schema.ts";
import { joinedWithin, standingAt } from "../user-rooms.ts";
import type { RoomFactsCache } from "./room-facts.ts";

/** A room of the user, as it stood at a position. */
export type ListedRoom = {
  room: Nid;
  roomId: string;
  membership: Membership;
  /** The member event, and where it took effect. */
  event: EventNid;
  since: Position;
  /** What lists are sorted by, the greatest first. */
  activity: Position;
};

export type ListScope = {
  userId: string;
  upTo: Position;
  /** Whether the client knows the room: it is then told that the user has left it. */
  isKnown: (room: Nid) => boolean;
};

/**
 * The rooms that lists are made of, those first in which something happened last. Rooms that the user has left are no
 * longer in it, unless the client has still to learn that; those that the user was removed from are.
 */
export async function listRooms(
  rooms: RoomForReaders,
  facts: RoomFactsCache,
  scope: ListScope,
): Promise<ListedRoom[]> {
  const { userId, upTo } = scope;
  const infos = (await rooms.membershipsOf(userId)).filter(
    (info) => !info.forgotten || scope.isKnown(info.room),
  );
  const listed = await Promise.all(
    infos.map(async (info): Promise<ListedRoom | undefined> => {
      const standing = info.since <= upTo ? info : await standingAt(rooms, userId, info, upTo);
      if (standing === undefined) return undefined;
      const { membership, event, since } = standing;
      const room = { room: info.room, roomId: info.roomId, membership, event, since };
      if (membership === "join") {
        return { ...room, activity: Math.min(await facts.activity(info.room), upTo) };
      }
      const isGone = membership === "leave" || membership === "ban";
      if (isGone && !scope.isKnown(info.room) && !(await wasRemoved(rooms, userId, event))) return undefined;
      return { ...room, activity: since };
    }),
  );
  return listed
    .filter((room) => room !== undefined)
    .sort((a, b) => b.activity - a.activity || b.room - a.room);
}

/** Whether somebody else has ended a membership: who has left knows it. */
async function wasRemoved(rooms: RoomForReaders, userId: string, event: EventNid): Promise<boolean> {
  const [member] = await rooms.events([event]);
  return member !== undefined && member.pdu.sender !== userId && joinedWithin(rooms, userId, { event }, 0);
}
