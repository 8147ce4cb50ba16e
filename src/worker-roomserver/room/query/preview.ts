import { domainOf } from "../../../matrix/domain.ts";
import {
  isShownToAll,
  roomsThatLetIn,
  type SummarisedRoom,
  type SummaryState,
  summaryTypes,
} from "../../../matrix/room-summary.ts";
import type { RoomParts } from "../parts.ts";
import type { RoomHead } from "../room-head.ts";

/** Rooms of a join rule that are looked at for a server's users: each may have many members to read. */
const ROOMS_ASKED = 50;

/** What may be told of a room to those who are outside. */
export type Preview = SummarisedRoom & {
  head: RoomHead;
  /** Users that are joined now. Shared: never change it. */
  members: ReadonlySet<string>;
};

/**
 * A room as it is now, as far as this server can know that: of a room that everybody here has left it cannot.
 * Costs the events of some state entries, and once the room's members; in a room in use all are in memory.
 * @returns undefined for a room that nobody here is in
 */
export async function previewOf(parts: RoomParts, roomId: string): Promise<Preview | undefined> {
  const head = await parts.heads.find(roomId);
  if (head === undefined) return undefined;
  const members = await parts.memberships.joined(head.nid);
  if (!includesUserOf(members, parts.author.serverName)) return undefined;
  const contents = await Promise.all(
    summaryTypes.map(async (type) => [type, (await head.state(type, ""))?.pdu.content] as const),
  );
  const state = Object.fromEntries(contents) as SummaryState;
  return { head, members, roomId, rules: head.rules, joined: members.size, state };
}

/**
 * Whether the room may be told of to a user, or to who has not said who they are: to members and who is invited, and
 * to whom it would let in.
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1roomsroomidhierarchy
 */
export async function isShownTo(
  { memberships }: RoomParts,
  { head, state, rules }: Preview,
  userId: string | undefined,
): Promise<boolean> {
  if (isShownToAll(state, rules)) return true;
  if (userId === undefined) return false;
  const rooms = await memberships.of(userId);
  const membership = rooms.get(head.nid)?.membership;
  if (membership === "join" || membership === "invite") return true;
  const letIn = new Set(roomsThatLetIn(state, rules));
  return [...rooms.values()].some((room) => room.membership === "join" && letIn.has(room.roomId));
}

/**
 * Whether the room may be told of to a server: if it may to any user that the server could have, as far as is known
 * here. Which of its users that are, the server has to find out. Reads the members of up to `ROOMS_ASKED` rooms, once.
 * @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1hierarchyroomid
 */
export async function isShownToServer(
  { memberships, storage }: RoomParts,
  { head, members, state, rules }: Preview,
  serverName: string,
): Promise<boolean> {
  if (isShownToAll(state, rules) || includesUserOf(members, serverName)) return true;
  if (includesUserOf(await memberships.with(head.nid, "invite"), serverName)) return true;
  for (const roomId of roomsThatLetIn(state, rules).slice(0, ROOMS_ASKED)) {
    const room = await storage.names.find(roomId);
    if (room !== undefined && includesUserOf(await memberships.joined(room), serverName)) return true;
  }
  return false;
}

function includesUserOf(userIds: Iterable<string>, serverName: string): boolean {
  for (const userId of userIds) if (domainOf(userId) === serverName) return true;
  return false;
}
