import type { ReceivedEvent } from "../../../matrix/received-event.ts";
import type { ServerName } from "../../../matrix/server-names.ts";
import type { RemoteStep } from "../../room/remote/api.ts";
import type { FederationContext } from "../context.ts";
import { readRoom, readSignedEvent } from "./join-answer.ts";
import { type HandshakeContext, type MadeMember, makeMember } from "./make-member.ts";
import { reading, UselessAnswer } from "./refusals.ts";

/** The server writes up the whole room, and the largest take minutes to come over. */
const SEND_JOIN_TIMEOUT_MS = 5 * 60_000;
/** A room of a hundred thousand members, and less than a string may have. */
const MAX_ROOM_BYTES = 256 * 1024 * 1024;

export type JoinContext = HandshakeContext & Pick<FederationContext, "keyRing" | "roomInput">;

/**
 * Joins a user through one server, and takes in the room. Nothing is stored before the room is, in one unit.
 * @throws FederationError, UselessAnswer: another server may do better. MatrixError 507
 * @see https://spec.matrix.org/v1.19/server-server-api/#joining-rooms
 */
export async function joinThrough(
  context: JoinContext,
  destination: ServerName,
  step: RemoteStep,
): Promise<void> {
  const { client, keyRing, roomInput } = context;
  const made = await makeMember(context, destination, "join", step);
  const { event: sent, rules } = made;
  const place = `${encodeURIComponent(step.roomId)}/${encodeURIComponent(sent.eventId)}`;
  const { text } = await client.request({
    method: "PUT",
    destination,
    uri: `/_matrix/federation/v2/send_join/${place}`,
    content: sent.pdu,
    timeoutMs: SEND_JOIN_TIMEOUT_MS,
    maxBytes: MAX_ROOM_BYTES,
    evenBackedOff: "yes",
  });
  const checkEvents = keyRing.checkEvents.bind(keyRing);
  const verdict = await reading(destination, async () => {
    const event = await joinEvent(text, destination, made, checkEvents);
    const room = await readRoom(text, { roomId: step.roomId, rules }, checkEvents);
    return roomInput.takeInRoom({ version: rules.id, event, ...room });
  });
  if (verdict.outcome === "accepted" || verdict.outcome === "duplicate") return;
  const reason = verdict.outcome === "missing" ? "It lacks events." : verdict.reason;
  throw new UselessAnswer(destination, `As it tells the room, the user may not join. ${reason}`);
}

/** A restricted join holds only with the signature of the server that lets the user in. */
async function joinEvent(
  text: string,
  destination: ServerName,
  { event: sent, rules }: MadeMember,
  checkEvents: JoinContext["keyRing"]["checkEvents"],
): Promise<ReceivedEvent> {
  if (sent.pdu.content.join_authorised_via_users_server === undefined) return sent;
  const signed = await readSignedEvent(text, sent, rules, checkEvents);
  if (signed === undefined)
    throw new UselessAnswer(destination, "It has not signed the join that it lets in.");
  return signed;
}
