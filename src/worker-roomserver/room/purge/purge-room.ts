import { domainOf } from "../../../matrix/domain.ts";
import { notFound } from "../../../matrix/errors.ts";
import { parseUserId } from "../../../matrix/identifiers.ts";
import type { Generation } from "../../storage/api.ts";
import type { RoomParts } from "../parts.ts";
import { endRoom } from "./end-room.ts";
import { inRoom } from "./in-room.ts";
import { isPresent, localMembers } from "./members.ts";

/** Leave events of one unit. */
const LEAVES = 50;
/** How often it begins anew because somebody has come in meanwhile. */
const ATTEMPTS = 5;

/**
 * Removes a room from this server, for its owner. When it resolves the room is gone for everybody here, and an entry
 * "purge" is in the log; `finishPurges` then removes its data, also after a crash.
 *
 * The members of this server leave first, so that their clients are told, and other servers of the room can be. They
 * are not told here: the leaves are in the log as any event is, but who is to have them is known only as long as the
 * room is there. A caller who wants them told calls `leaveLocally` and waits until they are sent before this.
 * @param options.leave - false: members disappear from the room without a word; for a room that cannot be left
 * @throws MatrixError M_NOT_FOUND (404) if the room is not known here
 */
export async function purgeRoom(
  parts: RoomParts,
  roomId: string,
  { leave }: { leave: boolean } = { leave: true },
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    if (leave) await leaveLocally(parts, roomId);
    // Whoever comes in again and again does not keep the room here.
    const mustBeEmpty = leave && attempt < ATTEMPTS;
    if (await inRoom(parts, roomId, (basis) => tryToEnd(parts, roomId, basis, mustBeEmpty))) return;
  }
}

/**
 * All users of this server leave the room, decline their invites and take back their knocks. Some units, each of
 * bounded size.
 * @throws MatrixError M_NOT_FOUND (404) if the room is not known here
 */
export async function leaveLocally(parts: RoomParts, roomId: string): Promise<void> {
  const head = await parts.heads.get(roomId);
  const users = await presentUsers(parts, head.nid);
  for (let next = 0; next < users.length; next += LEAVES) {
    await parts.writer.write(roomId, async (plan) => {
      for (const userId of users.slice(next, next + LEAVES)) {
        const membership = (await plan.state("m.room.member", userId))?.pdu.content.membership;
        if (membership !== "join" && membership !== "invite" && membership !== "knock") continue;
        await plan.add({
          type: "m.room.member",
          sender: parseUserId(userId),
          stateKey: userId,
          content: { membership: "leave" },
          ts: parts.now(),
        });
      }
    });
  }
}

/** @returns false if somebody is there though nobody must be */
async function tryToEnd(
  parts: RoomParts,
  roomId: string,
  basis: Generation,
  mustBeEmpty: boolean,
): Promise<boolean> {
  const { storage } = parts;
  const room = await storage.names.find(roomId);
  if (room === undefined || (await storage.get("rooms", room)) === undefined) {
    throw notFound("This server does not know the room.");
  }
  const members = await localMembers(parts, room);
  if (mustBeEmpty && members.some(isPresent)) return false;
  await endRoom(parts, { room, roomId, basis }, members);
  return true;
}

async function presentUsers({ memberships, author }: RoomParts, room: number): Promise<string[]> {
  const users = await Promise.all(
    (["join", "invite", "knock"] as const).map((each) => memberships.with(room, each)),
  );
  return users.flat().filter((userId) => domainOf(userId) === author.serverName);
}
