import { badJson, unknown } from "../../../matrix/errors.ts";
import { serverNameOf, type UserId } from "../../../matrix/identifiers.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../../../matrix/json.ts";
import { elementTexts, memberText } from "../../../matrix/json-parts.ts";
import type { Pdu } from "../../../matrix/pdu.ts";
import { type ReceivedEvent, readReceivedEvent } from "../../../matrix/received-event.ts";
import { type RoomVersionRules, roomVersionRules } from "../../../matrix/room-versions.ts";
import type { ServerName } from "../../../matrix/server-names.ts";
import { verifyEventSignature } from "../../../matrix/signing.ts";
import { shownStrippedState } from "../../../matrix/stripped-state.ts";
import type { RemoteInvite } from "../../room/remote/api.ts";
import { FederationError } from "../api.ts";
import type { FederationContext } from "../context.ts";
import { reading, refusalOf, UselessAnswer } from "./refusals.ts";

/** The other server may ask its user's client, or its spam checker. */
const INVITE_TIMEOUT_MS = 60_000;
/** One event, with the signature added. */
const MAX_ANSWER_BYTES = 256 * 1024;

export type InviteContext = Pick<FederationContext, "client" | "keyRing" | "ed25519" | "now">;

/**
 * Has an invite signed by the server of whom it is for.
 * @throws MatrixError the other server's, where it refuses; M_UNKNOWN 502, 504 where it cannot be reached
 * @see https://spec.matrix.org/v1.19/server-server-api/#inviting-to-a-room
 */
export async function inviteThrough(context: InviteContext, invite: RemoteInvite): Promise<ReceivedEvent> {
  const { event } = invite;
  const rules = roomVersionRules(invite.roomVersion);
  if (rules === undefined) throw unknown(`There is no room version ${invite.roomVersion}.`);
  const destination = serverNameOf(event.pdu.state_key as UserId);
  try {
    const text = await send(context, destination, invite, rules);
    return await reading(destination, () => signedInvite(context, destination, text, event, rules));
  } catch (error) {
    throw refusalOf(error) ?? error;
  }
}

/** @returns the text of the event in the answer */
async function send(
  { client }: InviteContext,
  destination: ServerName,
  { event, roomVersion, roomState }: RemoteInvite,
  rules: RoomVersionRules,
): Promise<string | undefined> {
  const place = `${encodeURIComponent(event.pdu.room_id ?? "")}/${encodeURIComponent(event.eventId)}`;
  const ask = (version: "v1" | "v2", content: JsonObject) =>
    client.request({
      method: "PUT",
      destination,
      uri: `/_matrix/federation/${version}/invite/${place}`,
      content,
      timeoutMs: INVITE_TIMEOUT_MS,
      maxBytes: MAX_ANSWER_BYTES,
      evenBackedOff: "yes",
    });
  try {
    const { text } = await ask("v2", {
      room_version: roomVersion,
      event: event.pdu,
      invite_room_state: [...roomState],
    });
    return memberText(text, "event");
  } catch (error) {
    if (!(rules.eventIdFormat === "domain" && isOlder(error))) throw error;
    const { text } = await ask("v1", {
      ...event.pdu,
      unsigned: { invite_room_state: shownStrippedState(roomState, event.pdu.sender) },
    });
    // The answer is a pair of a status and an object.
    const [, body] = elementTexts(`{"answer":${text}}`, "answer");
    return body === undefined ? undefined : memberText(body, "event");
  }
}

/** Whether a server knows no invites but the first ones, which can only be for rooms of the first two versions. */
function isOlder(error: unknown): boolean {
  if (!(error instanceof FederationError) || error.failure !== "answered") return false;
  const { status, error: body } = error;
  return (status === 404 || status === 400) && (body === undefined || body.errcode === "M_UNRECOGNIZED");
}

/** The invite as it was sent, with the signature of the other server, of whose answer nothing else is used. */
async function signedInvite(
  { keyRing, ed25519, now }: InviteContext,
  destination: ServerName,
  text: string | undefined,
  sent: ReceivedEvent,
  rules: RoomVersionRules,
): Promise<ReceivedEvent> {
  if (text === undefined) throw badJson("Its answer has no event.");
  const { eventId, pdu: answered } = readReceivedEvent(text, rules);
  if (eventId !== sent.eventId) throw badJson("It has signed another event than the invite.");
  const theirs = answered.signatures[destination];
  if (!isObject(theirs)) throw new UselessAnswer(destination, "It has not signed the invite.");
  const pdu = {
    ...sent.pdu,
    signatures: { ...sent.pdu.signatures, [destination]: theirs },
  } as Pdu;
  for (const keyId of Object.keys(theirs)) {
    const key = await keyRing.keyFor(destination, keyId, now());
    if (key !== undefined && (await verifyEventSignature(pdu, rules, destination, keyId, key, ed25519))) {
      return readReceivedEvent(JSON.stringify(pdu), rules);
    }
  }
  throw new UselessAnswer(destination, "Its signature on the invite is wrong, or its key cannot be had.");
}

const isObject = (value: JsonValue | undefined): value is JsonObject => isJsonObject(value ?? null);
