import { forbidden, MatrixError } from "../../../../matrix/errors.ts";
import { restrictedJoin as restrictedJoinOf } from "../../restricted-join.ts";
import type { GraphParts } from "./parts.ts";

/** What a join needs in a room that lets in the members of others. */
export async function restrictedJoin(
  parts: GraphParts,
  roomId: string,
  userId: string,
): Promise<{ authorisedBy?: string }> {
  const head = await parts.heads.get(roomId);
  const { nid, rules } = head;
  const room = { nid, rules, state: (type: string, key: string) => head.state(type, key) };
  const join = await restrictedJoinOf(parts, room, userId);
  switch (join.outcome) {
    case "unrestricted":
      return {};
    case "authorised":
      return { authorisedBy: join.by };
    case "failed":
      throw forbidden("The user is in none of the rooms whose members may join this one.");
    case "unknown":
      throw new MatrixError(
        "M_UNABLE_TO_AUTHORISE_JOIN",
        400,
        "This server does not know all of the rooms whose members may join this one.",
      );
    case "ungrantable":
      throw new MatrixError(
        "M_UNABLE_TO_GRANT_JOIN",
        400,
        "Nobody on this server may invite to the room: another server has to let the user in.",
      );
  }
}
