import { domainOf } from "../../matrix/domain.ts";
import { powerLevels } from "../../matrix/power-levels.ts";
import { allowedRooms, isRestricted } from "../../matrix/restricted-joins.ts";
import type { RoomVersionRules } from "../../matrix/room-versions.ts";
import type { Nid } from "../storage/schema.ts";
import type { RoomParts } from "./parts.ts";
import { authForm, type PlannedState } from "./plan.ts";

type Parts = Pick<RoomParts, "storage" | "memberships"> & { author: Pick<RoomParts["author"], "serverName"> };

/** Rooms of `allow` that are looked at for whether this server is in them: each may have many members to read. */
const ROOMS_ASKED = 50;

/** The room that a user wants to join: its state as it is, or with what is planned on top. */
export type JoinedRoom = {
  nid: Nid;
  rules: RoomVersionRules;
  state: (type: string, stateKey: string) => Promise<PlannedState | undefined>;
};

/**
 * What this server can do for a join, if its join rule lets in who is in another room.
 * - `unrestricted`: nothing is needed. The join rule is another, or the user is invited or joined already.
 * - `authorised`: the user is in one of the rooms, and `by` may invite.
 * - `failed`: the user is in none of the rooms.
 * - `unknown`: the user is in none of the rooms that this server is in; of others it cannot tell.
 * - `ungrantable`: the user is in one of the rooms, and nobody here may invite.
 */
export type RestrictedJoin =
  | { outcome: "unrestricted" | "failed" | "unknown" | "ungrantable" }
  | { outcome: "authorised"; by: string };

/**
 * Whether the conditions of a restricted room let a user join, and which member from here authorises that. The auth
 * rules are still to be asked: this says nothing on bans. Reads a few entries of the state, the user's memberships
 * and the members of at most `ROOMS_ASKED` rooms, most of which are in memory.
 * @see https://spec.matrix.org/v1.19/server-server-api/#restricted-rooms
 */
export async function restrictedJoin(
  parts: Parts,
  room: JoinedRoom,
  userId: string,
): Promise<RestrictedJoin> {
  const content = (await room.state("m.room.join_rules", ""))?.pdu.content ?? {};
  const membership = (await room.state("m.room.member", userId))?.pdu.content.membership;
  if (!isRestricted(content.join_rule, room.rules) || membership === "invite" || membership === "join") {
    return { outcome: "unrestricted" };
  }
  const standing = await standingIn(parts, allowedRooms(content), userId);
  if (standing !== "joined") return { outcome: standing };
  const by = await localInviter(parts, room);
  return by === undefined ? { outcome: "ungrantable" } : { outcome: "authorised", by };
}

async function standingIn(
  parts: Parts,
  roomIds: readonly string[],
  userId: string,
): Promise<"joined" | "failed" | "unknown"> {
  const joined = new Set<string>();
  for (const info of (await parts.memberships.of(userId)).values()) {
    if (info.membership === "join") joined.add(info.roomId);
  }
  // Those first that settle it.
  const asked = roomIds.toSorted((a, b) => Number(joined.has(b)) - Number(joined.has(a)));
  let areAllKnown = asked.length <= ROOMS_ASKED;
  for (const roomId of asked.slice(0, ROOMS_ASKED)) {
    // What is known of a room that everybody here has left is not what it is now.
    if (!(await isHereIn(parts, roomId))) areAllKnown = false;
    else if (joined.has(roomId)) return "joined";
  }
  // Of its own users this server knows all rooms.
  return areAllKnown || isLocal(parts, userId) ? "failed" : "unknown";
}

async function isHereIn(parts: Parts, roomId: string): Promise<boolean> {
  const room = await parts.storage.names.find(roomId);
  return room !== undefined && (await localMembers(parts, room)).length > 0;
}

/** A member from here who may invite. */
async function localInviter(parts: Parts, { nid, rules, state }: JoinedRoom): Promise<string | undefined> {
  const create = await state("m.room.create", "");
  const levels = authForm(await state("m.room.power_levels", ""));
  const power = powerLevels(levels?.pdu.content, create?.pdu, rules);
  const required = power.level("invite");
  return (await localMembers(parts, nid)).find((userId) => power.userLevel(userId) >= required);
}

async function localMembers(parts: Parts, room: Nid): Promise<string[]> {
  return [...(await parts.memberships.joined(room))].filter((userId) => isLocal(parts, userId));
}

const isLocal = (parts: Parts, userId: string) => domainOf(userId) === parts.author.serverName;
