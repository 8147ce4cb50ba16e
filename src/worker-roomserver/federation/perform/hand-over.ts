import { isJsonObject, type JsonObject } from "../../../matrix/json.ts";
import type { ServerName } from "../../../matrix/server-names.ts";
import type { RemoteStep, RemoteTaken } from "../../room/remote/api.ts";
import { type HandshakeContext, makeMember } from "./make-member.ts";
import { UselessAnswer } from "./refusals.ts";

const SEND_TIMEOUT_MS = 30_000;
/** Stripped state: a few events. */
const MAX_ANSWER_BYTES = 1024 * 1024;

/**
 * Knocks on a room, or leaves one, through one server.
 * @throws FederationError, UselessAnswer: another server may do better
 * @see https://spec.matrix.org/v1.19/server-server-api/#knocking-upon-a-room
 * @see https://spec.matrix.org/v1.19/server-server-api/#leaving-rooms-rejecting-invites
 */
export async function handOver(
  context: HandshakeContext,
  destination: ServerName,
  membership: "knock" | "leave",
  step: RemoteStep,
): Promise<RemoteTaken> {
  const { event, rules } = await makeMember(context, destination, membership, step);
  const version = membership === "knock" ? "v1" : "v2";
  const place = `${encodeURIComponent(step.roomId)}/${encodeURIComponent(event.eventId)}`;
  const { json } = await context.client.request({
    method: "PUT",
    destination,
    uri: `/_matrix/federation/${version}/send_${membership}/${place}`,
    content: event.pdu,
    timeoutMs: SEND_TIMEOUT_MS,
    maxBytes: MAX_ANSWER_BYTES,
    evenBackedOff: "yes",
  });
  if (!isJsonObject(json)) throw new UselessAnswer(destination, "Its answer is no object.");
  return { event, roomVersion: rules.id, roomState: membership === "knock" ? stripped(json) : [] };
}

function stripped({ knock_room_state: state }: JsonObject): JsonObject[] {
  return Array.isArray(state) ? state.filter(isJsonObject) : [];
}
