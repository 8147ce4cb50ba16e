import { forbidden, notFound } from "../../../matrix/errors.ts";
import type { JsonObject } from "../../../matrix/json.ts";
import { powerLevels } from "../../../matrix/power-levels.ts";
import type { Requester } from "../../node/requester.ts";
import type { StoredEvent } from "../api.ts";
import type { RoomParts } from "../parts.ts";
import { authForm, type Proposal, type RoomPlan } from "../plan.ts";
import { sentBy } from "../transactions.ts";
import { requireActive } from "./suspension.ts";

type Redacting = {
  roomId: string;
  eventId: string;
  txnId: string;
  content: JsonObject;
  ts?: number | undefined;
};

/**
 * The redaction that a client asks for, in the form of the room's version.
 * @throws MatrixError M_NOT_FOUND (404), M_FORBIDDEN (403)
 */
export async function redactionOf(
  parts: RoomParts,
  requester: Requester,
  { roomId, eventId, txnId, content, ts }: Redacting,
  plan: RoomPlan,
): Promise<Proposal> {
  const target = await parts.events.byId(eventId);
  if (target?.roomId !== roomId) throw notFound("There is no such event in the room.");
  if (target.pdu.sender !== requester.userId) requireActive(requester);
  if (target.pdu.type === "m.room.create") throw forbidden("A room's create event cannot be redacted.");
  if (!(await mayRedact(requester, target, plan))) {
    throw forbidden("You may not redact other people's messages in this room.");
  }
  const { redacts: _, ...rest } = content;
  return {
    type: "m.room.redaction",
    sender: requester.userId,
    content: plan.base.rules.redactsInContent ? { ...rest, redacts: eventId } : rest,
    ts: ts ?? parts.now(),
    sentBy: sentBy(requester, txnId),
    redacts: target,
  };
}

/**
 * Others' redactions count by the servers of the two users, whose business it is which of its users may: here that is who
 * wrote the event, who may redact what anybody wrote, and the administrator.
 * @see https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3roomsroomidredacteventidtxnid
 */
async function mayRedact(requester: Requester, target: StoredEvent, plan: RoomPlan): Promise<boolean> {
  if (target.pdu.sender === requester.userId || requester.admin) return true;
  const [create, levels] = await Promise.all([
    plan.state("m.room.create", ""),
    plan.state("m.room.power_levels", ""),
  ]);
  const power = powerLevels(authForm(levels)?.pdu.content, create?.pdu, plan.base.rules);
  return power.userLevel(requester.userId) >= power.level("redact");
}
