import { RoomPlan } from "../../plan.ts";
import type { MemberTemplate } from "./api.ts";
import type { GraphParts } from "./parts.ts";
import { restrictedJoin } from "./restricted-join.ts";

/** The member event of a user of another server, as far as this one can make it. */
export async function memberTemplate(
  parts: GraphParts,
  roomId: string,
  userId: string,
  membership: "join" | "knock" | "leave",
): Promise<MemberTemplate> {
  const head = await parts.heads.get(roomId);
  const { authorisedBy } = membership === "join" ? await restrictedJoin(parts, roomId, userId) : {};
  const event = await new RoomPlan(head, parts.author).template({
    type: "m.room.member",
    sender: userId,
    stateKey: userId,
    content: {
      membership,
      ...(authorisedBy !== undefined && { join_authorised_via_users_server: authorisedBy }),
    },
    ts: parts.now(),
  });
  return { roomVersion: head.rules.id, event };
}
