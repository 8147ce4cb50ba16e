import { forbidden } from "../../../matrix/errors.ts";
import type { JsonObject } from "../../../matrix/json.ts";
import type { Pdu } from "../../../matrix/pdu.ts";
import { type ReceivedEvent, readReceivedEvent } from "../../../matrix/received-event.ts";
import { strippedStateTypes } from "../../../matrix/stripped-state.ts";
import type { Requester } from "../../node/requester.ts";
import type { RoomParts } from "../parts.ts";
import type { RoomPlan } from "../plan.ts";
import type { RemoteInvite } from "../remote/api.ts";

/**
 * Invites a user of another server, who has to sign the event first: only then the room has it. When this server dies in
 * between, the user may know of an invite that the room does not; inviting them again makes it good.
 * @returns the event's id
 * @throws MatrixError M_FORBIDDEN (403) where the room does not let it pass; what RemoteRooms.invite throws
 * @see https://spec.matrix.org/v1.19/server-server-api/#inviting-to-a-room
 */
export async function inviteElsewhere(
  parts: RoomParts,
  { userId }: Pick<Requester, "userId">,
  { roomId, target, content }: { roomId: string; target: string; content: JsonObject },
): Promise<string> {
  const invite = await parts.writer.draft(roomId, async (plan): Promise<RemoteInvite> => {
    const roomState = await describing(plan, userId);
    const { json } = await plan.add({
      type: "m.room.member",
      sender: userId,
      stateKey: target,
      content: { ...content, membership: "invite" },
      ts: parts.now(),
    });
    const { rules } = plan.base;
    return { roomVersion: rules.id, roomState, event: readReceivedEvent(json, rules) };
  });
  // Outside the room's lock: the other server may take its time.
  await takeIn(parts, roomId, await parts.remote.invite(invite));
  return invite.event.eventId;
}

async function takeIn(parts: RoomParts, roomId: string, event: ReceivedEvent): Promise<void> {
  const [verdict] = await parts.input.receive(roomId, [event]);
  if (verdict?.outcome === "accepted" || verdict?.outcome === "duplicate") return;
  const reason = verdict !== undefined && "reason" in verdict ? verdict.reason : "";
  throw forbidden(`The room does not let the invite pass any more. ${reason}`);
}

async function describing(plan: RoomPlan, sender: string): Promise<Pdu[]> {
  const entries = await Promise.all([
    ...strippedStateTypes.map((type) => plan.state(type, "")),
    plan.state("m.room.member", sender),
  ]);
  return entries.filter((entry) => entry !== undefined).map(({ pdu }) => pdu);
}
