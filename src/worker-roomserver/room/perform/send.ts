import { annotationOf } from "../../../matrix/annotations.ts";
import { forbidden, notFound, unknown } from "../../../matrix/errors.ts";
import type { JsonObject } from "../../../matrix/json.ts";
import { relationOf } from "../../../matrix/threads.ts";
import type { Requester } from "../../node/requester.ts";
import type { Nid } from "../../storage/schema.ts";
import type { RoomParts } from "../parts.ts";
import type { Proposal, RoomPlan } from "../plan.ts";
import { sentBy } from "../transactions.ts";
import { sendAnnotation } from "./annotations.ts";
import { redactionOf } from "./redaction.ts";

type Sent = { event_id: string };

type Sending = { roomId: string; type: string; txnId: string; content: JsonObject; ts?: number | undefined };

/**
 * `PUT /rooms/{roomId}/send/{eventType}/{txnId}`. A redaction that names its event in its content is one, whatever the
 * room's version.
 * @throws MatrixError M_DUPLICATE_ANNOTATION (400), M_UNKNOWN (400) for a thread where there can be none; what `RoomPlan`
 *   throws
 */
export function sendEvent(parts: RoomParts, requester: Requester, event: Sending): Promise<Sent> {
  const { roomId, type, txnId, content } = event;
  const path = `send/${type}/${txnId}`;
  const { redacts } = content;
  if (type === "m.room.redaction" && typeof redacts === "string") {
    return sendOnce(parts, requester, roomId, path, (plan) =>
      redactionOf(parts, requester, { ...event, eventId: redacts }, plan),
    );
  }
  const { userId } = requester;
  const send = () =>
    sendOnce(parts, requester, roomId, path, async () => {
      await requireThreadRoot(parts, roomId, content);
      return {
        type,
        sender: userId,
        content,
        ts: event.ts ?? parts.now(),
        sentBy: sentBy(requester, txnId),
      };
    });
  const annotation = annotationOf(content);
  if (annotation === undefined) return send();
  return knownRoom(parts, roomId).then((room) =>
    sendAnnotation(parts, requester, { room, type, annotation, transaction: `${room}/${path}` }, send),
  );
}

/** `PUT /rooms/{roomId}/redact/{eventId}/{txnId}` */
export function redact(
  parts: RoomParts,
  requester: Requester,
  redaction: { roomId: string; eventId: string; txnId: string; content: JsonObject },
): Promise<Sent> {
  const { roomId, eventId, txnId } = redaction;
  return sendOnce(parts, requester, roomId, `redact/${eventId}/${txnId}`, (plan) =>
    redactionOf(parts, requester, redaction, plan),
  );
}

/**
 * A thread begins at an event that relates to no other. One that is not known here may be such.
 * @see https://spec.matrix.org/v1.19/client-server-api/#validation-of-mthread-relationships
 */
async function requireThreadRoot(parts: RoomParts, roomId: string, content: JsonObject): Promise<void> {
  const relation = relationOf(content);
  if (relation?.rel_type !== "m.thread") return;
  const root = await parts.events.byId(relation.event_id);
  if (root?.roomId === roomId && relationOf(root.pdu.content) !== undefined) {
    throw unknown("No thread can be started from an event that itself relates to another.", 400);
  }
}

/** Sends what `propose` makes, unless the transaction has been answered before: then with that answer. */
async function sendOnce(
  parts: RoomParts,
  requester: Requester,
  roomId: string,
  path: string,
  propose: (plan: RoomPlan) => Promise<Proposal>,
): Promise<Sent> {
  const { userId, deviceId } = requester;
  const { transactions } = parts;
  const transaction = `${await knownRoom(parts, roomId)}/${path}`;
  const eventId = await parts.writer.write(
    roomId,
    async (plan) => {
      const before = await transactions.find(userId, deviceId, transaction);
      if (before !== undefined) return before;
      const proposal = await propose(plan);
      const planned = await plan.add(proposal);
      if (
        proposal.redacts !== undefined &&
        planned.redacted === undefined &&
        proposal.redacts.redactedBy === ""
      ) {
        throw forbidden("You may not redact other people's messages in this room.");
      }
      return planned.eventId;
    },
    (write, sent) => transactions.record(write, userId, deviceId, transaction, sent),
  );
  return { event_id: eventId };
}

/** @throws MatrixError M_NOT_FOUND (404) */
async function knownRoom(parts: RoomParts, roomId: string): Promise<Nid> {
  const room = await parts.storage.names.find(roomId);
  if (room === undefined) throw notFound("This server does not know the room.");
  return room;
}
