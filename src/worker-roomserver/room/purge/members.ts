import { domainOf } from "../../../matrix/domain.ts";
import type { Storage } from "../../storage/api.ts";
import type { MembershipRow, Nid } from "../../storage/schema.ts";
import type { MembershipInfo } from "../api.ts";
import type { RoomParts } from "../parts.ts";

/** Rows read at once: a room may have a hundred thousand members. */
const PAGE = 1_000;

/** A user of this server, and what they are or were in a room. */
export type LocalMember = { userId: string; user: Nid; info: MembershipInfo };

/** Every membership row of a room. One range of an index for each thousand. */
export async function* membershipRows(storage: Storage, room: Nid): AsyncGenerator<MembershipRow> {
  let last: MembershipRow | undefined;
  for (;;) {
    const after = last === undefined ? [room] : [room, last.m, last.u];
    const range = IDBKeyRange.bound(after, [room, []], true);
    const rows = await storage.fromIndex("memberships", "room", range, PAGE);
    yield* rows;
    last = rows.at(-1);
    if (rows.length < PAGE) return;
  }
}

/**
 * The users of this server who have any membership in the room. To be called in the room's lock.
 * Reads the room's memberships, and the name of each member that is not in memory.
 */
export async function localMembers(parts: RoomParts, room: Nid): Promise<LocalMember[]> {
  const found: LocalMember[] = [];
  for await (const { u: user } of membershipRows(parts.storage, room)) {
    const userId = await parts.storage.names.text(user);
    if (domainOf(userId) !== parts.author.serverName) continue;
    const info = (await parts.memberships.of(userId)).get(room);
    if (info !== undefined) found.push({ userId, user, info });
  }
  return found;
}

/** Whether the user is in the room, or may yet come in without being asked again. */
export function isPresent({ info }: LocalMember): boolean {
  return info.membership !== "leave" && info.membership !== "ban";
}
