import { MEMBERSHIPS, type Membership } from "../../../storage/schema.ts";
import type { SnapshotChain } from "../../snapshots.ts";
import { entriesOf } from "./entries.ts";
import { eventInState } from "./known-room.ts";
import type { GraphParts } from "./parts.ts";

/** A user's membership before and after an event. */
export async function membershipAt(
  parts: GraphParts,
  roomId: string,
  eventId: string,
  userId: string,
): Promise<{ before: Membership; after: Membership }> {
  const event = await eventInState(parts, roomId, eventId);
  const [before, after] = await Promise.all(
    [event.stateBefore, event.stateAfter].map(async (nid) =>
      membershipIn(parts, await parts.snapshots.chain(nid), userId),
    ),
  );
  return { before: before!, after: after! };
}

async function membershipIn(parts: GraphParts, state: SnapshotChain, userId: string): Promise<Membership> {
  const nids = await entriesOf(parts, state, [["m.room.member", userId]]);
  const [event] = await parts.events.get(nids);
  return MEMBERSHIPS.find((membership) => membership === event?.pdu.content.membership) ?? "leave";
}
