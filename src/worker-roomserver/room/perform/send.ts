import { canonicalJson } from "../../../matrix/canonical-json.ts";
import { forbidden, notFound } from "../../../matrix/errors.ts";
import type { JsonObject } from "../../../matrix/json.ts";
import type { Requester, RequestId } from "../../node/requester.ts";
import type { RoomParts } from "../parts.ts";
import type { Proposal } from "../plan.ts";

type Sent = { event_id: string };

/** `PUT /rooms/{roomId}/send/{eventType}/{txnId}` */
export function sendEvent(
  parts: RoomParts,
  requester: Requester,
  event: { roomId: string; type: string; txnId: string; content: JsonObject; ts?: number | undefined },
): Promise<Sent> {
  return sendOnce(parts, requester, event.roomId, `send/${event.type}/${event.txnId}`, async () => ({
    type: event.type,
    sender: requester.userId,
    content: event.content,
    ts: event.ts ?? parts.now(),
    sentBy: [requester.deviceId, event.txnId],
  }));
}

/** `PUT /rooms/{roomId}/redact/{eventId}/{txnId}` */
export function redact(
  parts: RoomParts,
  requester: Requester,
  redaction: { roomId: string; eventId: string; txnId: string; content: JsonObject },
): Promise<Sent> {
  const { roomId, eventId, txnId } = redaction;
  return sendOnce(parts, requester, roomId, `redact/${eventId}/${txnId}`, async (plan) => {
    const target = await parts.events.byId(eventId);
    if (target?.roomId !== roomId) throw notFound("There is no such event in the room.");
    if (target.pdu.type === "m.room.create") throw forbidden("A room's create event cannot be redacted.");
    return {
      type: "m.room.redaction",
      sender: requester.userId,
      content: plan.base.rules.redactsInContent
        ? { ...redaction.content, redacts: eventId }
        : redaction.content,
      ts: parts.now(),
      sentBy: [requester.deviceId, txnId],
      redacts: target,
    };
  });
}

/** Sends what `propose` makes, unless the transaction has been answered before: then with that answer. */
async function sendOnce(
  parts: RoomParts,
  requester: Requester,
  roomId: string,
  path: string,
  propose: (plan: Parameters<Parameters<RoomParts["writer"]["write"]>[1]>[0]) => Promise<Proposal>,
): Promise<Sent> {
  const { userId, deviceId } = requester;
  const { transactions } = parts;
  const room = await parts.storage.names.find(roomId);
  if (room === undefined) throw notFound("This server does not know the room.");
  const transaction = `${room}/${path}`;
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

/** `PUT /rooms/{roomId}/state/{eventType}/{stateKey}` */
export function setState(
  parts: RoomParts,
  request: RequestId,
  requester: Requester,
  state: { roomId: string; type: string; stateKey: string; content: JsonObject },
): Promise<Sent> {
  return parts.answers.once(request, async (record) => {
    const eventId = await parts.writer.write(
      state.roomId,
      async (plan) => {
        const present = await plan.state(state.type, state.stateKey);
        if (present?.pdu.sender === requester.userId && sameContent(present.pdu.content, state.content)) {
          return present.eventId;
        }
        const planned = await plan.add({
          type: state.type,
          sender: requester.userId,
          stateKey: state.stateKey,
          content: state.content,
          ts: parts.now(),
        });
        return planned.eventId;
      },
      (write, sent) => {
        record(write, { event_id: sent });
      },
    );
    return { event_id: eventId };
  });
}

function sameContent(one: JsonObject, other: JsonObject): boolean {
  return canonicalJson(one, "lenient") === canonicalJson(other, "lenient");
}
