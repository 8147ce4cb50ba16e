import type { MembershipInfo, RoomForReaders } from "../room/api.ts";
import type { Reach } from "./scan.ts";

/**
 * What of a room a user may search: all that its history lets a member read, and for who has left it, what came before
 * that. Costs one event for a room that was left.
 * @returns undefined for a room that they have not been in, or have forgotten
 */
export async function reachOf(room: RoomForReaders, info: MembershipInfo): Promise<Reach | undefined> {
  const { membership, since, forgotten } = info;
  if (membership === "join") return { room: info.room, since, end: Number.POSITIVE_INFINITY };
  if (forgotten || (membership !== "leave" && membership !== "ban")) return undefined;
  const [left] = await room.events([info.event]);
  if (left?.replaced?.content.membership !== "join") return undefined;
  return { room: info.room, since: Number.POSITIVE_INFINITY, end: left.order };
}
