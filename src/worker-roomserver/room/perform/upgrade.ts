import { MatrixError } from "../../../matrix/errors.ts";
import { parseUserId } from "../../../matrix/identifiers.ts";
import type { RoomVersionRules } from "../../../matrix/room-versions.ts";
import type { Requester, RequestId } from "../../node/requester.ts";
import type { RoomUpgrade } from "../api.ts";
import type { RoomParts } from "../parts.ts";
import type { RoomHead } from "../room-head.ts";
import { roomOf, supportedVersion } from "./room-start.ts";
import { planUpgrade } from "./upgrade-plan.ts";

/**
 * `POST /rooms/{roomId}/upgrade`: makes a room of another version that takes the place of this one, and closes this
 * one. All events of both rooms, the aliases and the place in the directory are one unit: there is either a new room
 * and a tombstone that leads to it, or neither.
 *
 * Users' own settings (tags, push rules, direct chats) are not moved here: they follow those who join (`upgrade-reader.ts`).
 *
 * Costs one event for each piece of state that goes over, and for each ban.
 * @throws MatrixError M_UNSUPPORTED_ROOM_VERSION (400); M_NOT_FOUND (404) for a room that is not known here;
 *   M_FORBIDDEN (403) for who may not send the tombstone; M_INVALID_PARAM (400) for a creator that is no user id;
 *   M_UNKNOWN (400) where another request has upgraded the room meanwhile; M_TOO_LARGE (413) for a room with more than
 *   can go over; M_BAD_JSON (400) for state that the new version cannot express
 * @see https://spec.matrix.org/v1.19/client-server-api/#room-upgrades
 */
export function upgradeRoom(
  parts: RoomParts,
  request: RequestId,
  requester: Requester,
  upgrade: RoomUpgrade,
): Promise<{ replacement_room: string }> {
  const { directory, heads, writer } = parts;
  const { roomId } = upgrade;
  return parts.answers.once(request, async (record) => {
    const rules = supportedVersion(upgrade.newVersion);
    const additional = additionalCreators(requester, rules, upgrade);
    const known = await heads.get(roomId);
    const tombstone = await tombstoneOf(known);
    // The aliases are held until all is on the disk, where others look for them.
    return directory.hold(roomId, async (aliases) => {
      const moved = new Set(aliases.map(({ alias }) => alias));
      const order = { rules, creator: requester.userId, additional, moved };
      let isPublished = false;
      const { head } = await writer.writeWithRoom(
        roomId,
        async (plan, old) => {
          // Nobody wants two rooms in its place, and this request was made when there was none yet.
          if ((await tombstoneOf(old)) !== tombstone) {
            throw new MatrixError("M_UNKNOWN", 400, "Another request has just upgraded the room.");
          }
          isPublished = await directory.isPublished(old.nid);
          return roomOf(parts, await planUpgrade(parts, order, plan, old));
        },
        (write, replacement) => {
          for (const { alias, creator } of aliases) {
            directory.put(write, alias, replacement.head.roomId, creator);
          }
          if (isPublished) {
            directory.publish(write, replacement.head.nid);
            directory.unpublish(write, known.nid);
          }
          record(write, { replacement_room: replacement.head.roomId });
        },
      );
      return { replacement_room: head.roomId };
    });
  });
}

function additionalCreators(
  requester: Requester,
  rules: RoomVersionRules,
  { additionalCreators: named = [] }: RoomUpgrade,
): string[] {
  if (!rules.privilegedCreators) return [];
  return [...new Set(named.map(parseUserId))].filter((userId) => userId !== requester.userId);
}

async function tombstoneOf(head: RoomHead): Promise<string | undefined> {
  return (await head.state("m.room.tombstone", ""))?.eventId;
}
