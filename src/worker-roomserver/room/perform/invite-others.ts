import { MatrixError } from "../../../matrix/errors.ts";
import type { UserId } from "../../../matrix/identifiers.ts";
import type { Requester } from "../../node/requester.ts";
import type { RoomParts } from "../parts.ts";
import { inviteElsewhere } from "./invite-elsewhere.ts";

/** Servers asked at a time: one that is slow holds up no other. */
const LANES = 5;

/**
 * Invites the users of other servers to a room that has just been made: all are tried.
 * @throws MatrixError that of the first that failed, with `room_id`: the room is there all the same
 */
export async function inviteOthers(
  parts: RoomParts,
  requester: Requester,
  room: { room_id: string; isDirect: boolean | undefined; others: readonly UserId[] },
): Promise<void> {
  const { room_id: roomId } = room;
  const waiting = [...room.others];
  const failures: MatrixError[] = [];
  const lane = async () => {
    for (let target = waiting.shift(); target !== undefined; target = waiting.shift()) {
      try {
        const content = {
          ...(await parts.users.memberProfile(target)),
          ...(room.isDirect && { is_direct: true }),
        };
        await inviteElsewhere(parts, requester, { roomId, target, content });
      } catch (error) {
        if (!(error instanceof MatrixError)) throw error;
        const why = `The room was made, but ${target} could not be invited. ${error.message}`;
        failures.push(new MatrixError(error.errcode, error.status, why, { ...error.extra, room_id: roomId }));
      }
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  if (failures[0] !== undefined) throw failures[0];
}
