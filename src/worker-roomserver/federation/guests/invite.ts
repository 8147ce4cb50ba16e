import { domainOf } from "../../../matrix/domain.ts";
import { badJson, forbidden, invalidParam, missingParam } from "../../../matrix/errors.ts";
import { parseRoomId } from "../../../matrix/identifiers.ts";
import { sliceElements, sliceMembers } from "../../../matrix/json-slices.ts";
import { parseOnly } from "../../../matrix/json-text.ts";
import { type ReceivedEvent, readReceivedEvent } from "../../../matrix/received-event.ts";
import { roomVersionRules } from "../../../matrix/room-versions.ts";
import type { ServerName } from "../../../matrix/server-names.ts";
import { verifyEventHash } from "../../../matrix/signing.ts";
import type { FederationContext } from "../context.ts";
import { checkMemberEvent, checkSignatures, coSigned } from "./check-member-event.ts";
import { type EntryContext, isWelcome, shutOut } from "./entry.ts";
import { incompatibleVersion } from "./make.ts";
import { readToldState } from "./told-state.ts";

export type InviteContext = EntryContext &
  Pick<FederationContext, "roomInput" | "keyRing" | "serverName" | "key">;

/** An invite as it comes, by whichever version of the endpoint. */
export type Invite = {
  origin: ServerName;
  roomId: string;
  eventId: string;
  roomVersion: string;
  /** The event's text, and those of the events that tell of the room. */
  event: string;
  state: readonly string[];
};

/** The body of the second version. @throws MatrixError M_MISSING_PARAM, M_BAD_JSON (400) */
export function readInvite(text: string): Pick<Invite, "event" | "state" | "roomVersion"> {
  const members = sliceMembers(text);
  const version = members.get("room_version");
  const event = members.get("event");
  if (version === undefined || event === undefined) {
    throw missingParam(`"${version === undefined ? "room_version" : "event"}" is missing.`);
  }
  const roomVersion = parseOnly(version);
  if (typeof roomVersion !== "string") throw badJson('"room_version" should be a string.');
  return { event, roomVersion, state: elementsOf(members.get("invite_room_state")) };
}

/**
 * The body of the first version: the event, with the state among what is unsigned. It is for rooms of the versions 1 and 2,
 * whose events are the same.
 */
export function readFirstInvite(text: string): Pick<Invite, "event" | "state" | "roomVersion"> {
  const unsigned = sliceMembers(text).get("unsigned");
  const state = unsigned?.startsWith("{") ? sliceMembers(unsigned).get("invite_room_state") : undefined;
  return { event: text, roomVersion: "1", state: elementsOf(state) };
}

/** What is no list tells nothing. */
const elementsOf = (text: string | undefined) => (text?.startsWith("[") ? sliceElements(text) : []);

/**
 * Takes an invite for a user of this server, and signs it. It is stored when this resolves: by the room, where somebody from
 * here is in it, and else as one that has come without the room. The same invite again is no other.
 * @returns the event with this server's signature
 * @throws MatrixError M_INVALID_PARAM, M_BAD_JSON, M_INCOMPATIBLE_ROOM_VERSION (400); M_NOT_FOUND (404) for a user who is not
 *   here; M_FORBIDDEN, M_INVITE_BLOCKED (403); M_TOO_LARGE (413); M_LIMIT_EXCEEDED (429)
 */
export async function takeInvite(context: InviteContext, invite: Invite): Promise<ReceivedEvent> {
  const { outOfBand } = context;
  const roomId = parseRoomId(invite.roomId);
  const rules = roomVersionRules(invite.roomVersion);
  if (rules === undefined) throw incompatibleVersion(invite.roomVersion);
  const event = readReceivedEvent(invite.event, rules);
  checkMemberEvent(event, { ...invite, membership: "invite" });
  const { state_key: userId = "" } = event.pdu;
  if (domainOf(userId) !== context.serverName) throw invalidParam("The event invites nobody of this server.");
  // It is to be signed as it is, and not what redaction leaves of it.
  if (!verifyEventHash(event.pdu, rules)) throw invalidParam("The event's hash is not that of its content.");
  await checkSignatures(context, event, rules);
  if (!(await isWelcome(context, roomId, invite.origin))) throw shutOut();
  await outOfBand.requireInvitable(userId);
  const signed = await coSigned(context, event, rules);
  if (await takenByRoom(context, roomId, signed)) return signed;
  const strippedState = await readToldState(context, invite.state, { roomId, rules });
  const roomVersion = rules.id;
  if (await outOfBand.addInvite({ roomVersion, event: signed, strippedState })) return signed;
  // Somebody from here has come into the room meanwhile.
  await takenByRoom(context, roomId, signed);
  return signed;
}

/**
 * The room judges an invite where somebody from here is in it. What it is built upon may not be here yet: then it comes once
 * more, with what is missing, as any event of the room does.
 */
async function takenByRoom(
  { outOfBand, roomInput }: InviteContext,
  roomId: string,
  event: ReceivedEvent,
): Promise<boolean> {
  if (!(await outOfBand.isInRoom(roomId))) return false;
  const [verdict] = await roomInput.receive(roomId, [event]);
  if (verdict?.outcome === "rejected" || verdict?.outcome === "soft-failed") throw forbidden(verdict.reason);
  return true;
}
