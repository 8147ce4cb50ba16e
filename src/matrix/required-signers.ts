import { badJson } from "./errors.ts";
import { isUserId, serverNameOf, type UserId } from "./identifiers.ts";
import type { ReceivedEvent } from "./received-event.ts";
import type { RoomVersionRules } from "./room-versions.ts";
import type { ServerName } from "./server-names.ts";

/**
 * The servers that must have signed an event, each once: the sender's; in room versions 1 and 2 also that of the event's
 * id; for a restricted join that of the user who lets in. An invite of a third party needs none but those: it is made by
 * the server of who invites or of who is invited, and its own signature is looked at by the auth rules.
 * @throws {MatrixError} M_BAD_JSON (400) where the user who lets in is none
 * @see https://spec.matrix.org/v1.19/server-server-api/#validating-hashes-and-signatures-on-received-events
 */
export function requiredSigners({ eventId, pdu }: ReceivedEvent, rules: RoomVersionRules): ServerName[] {
  const { type, sender, content } = pdu;
  const isMember = type === "m.room.member";
  const servers = new Set<ServerName>();
  const isThirdParty =
    isMember && content.membership === "invite" && content.third_party_invite !== undefined;
  if (!isThirdParty) servers.add(serverNameOf(sender as UserId));
  const ofId = rules.eventIdFormat === "domain" ? serverNameOf(eventId) : undefined;
  if (ofId !== undefined) servers.add(ofId);
  const { join_authorised_via_users_server: via } = content;
  if (rules.restrictedJoins && isMember && content.membership === "join" && via !== undefined) {
    if (!isUserId(via)) throw badJson("join_authorised_via_users_server should be a user ID.");
    servers.add(serverNameOf(via));
  }
  return [...servers];
}

/**
 * The id by which the keys of policy servers go: no server publishes them among its own, and who checks an event's
 * signatures passes them over.
 * @see https://spec.matrix.org/v1.19/server-server-api/#validating-policy-server-signatures
 */
export const POLICY_SERVER_KEY_ID = "ed25519:policy_server";
