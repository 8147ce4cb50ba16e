import { domainOf } from "../../../matrix/domain.ts";
import { forbidden, invalidParam } from "../../../matrix/errors.ts";
import { parseRoomId } from "../../../matrix/identifiers.ts";
import { type ReceivedEvent, readReceivedEvent } from "../../../matrix/received-event.ts";
import { type RoomVersionRules, roomVersionRules } from "../../../matrix/room-versions.ts";
import type { FederationContext } from "../context.ts";
import { type Announced, checkMemberEvent, checkSignatures, coSigned } from "./check-member-event.ts";
import { type EntryContext, requireEntry } from "./entry.ts";

export type SendContext = EntryContext &
  Pick<FederationContext, "roomInput" | "keyRing" | "serverName" | "key">;

/**
 * Takes a member event that another server has made from a template, and lets the others in the room have it. It is stored
 * when this resolves. The same event again is no other.
 * @param text - the event as it came
 * @returns the event as the room has it
 * @throws MatrixError M_NOT_FOUND (404); M_FORBIDDEN (403) where the room does not let it pass; M_INVALID_PARAM,
 *   M_BAD_JSON, M_NOT_JSON (400), M_TOO_LARGE (413); for a join what the conditions of the room lead to (400)
 */
export async function takeSent(
  context: SendContext,
  announced: Announced,
  text: string,
): Promise<ReceivedEvent> {
  const roomId = parseRoomId(announced.roomId);
  await requireEntry(context, roomId, announced.origin);
  const rules = await rulesOf(context, roomId);
  const received = readReceivedEvent(text, rules);
  checkMemberEvent(received, announced);
  const event = await vouchedFor(context, received, rules);
  await checkSignatures(context, event, rules);
  const [verdict] = await context.roomInput.receive(roomId, [event], { passOn: true });
  switch (verdict?.outcome) {
    case "accepted":
      return event;
    case "duplicate":
      return known(context, event);
    case "missing":
      throw invalidParam("The event is built upon others than this server knows: ask for a new template.");
    default:
      throw forbidden(verdict?.reason ?? "The room does not let this pass.");
  }
}

async function rulesOf({ roomQueries }: SendContext, roomId: string): Promise<RoomVersionRules> {
  const { roomVersion } = await roomQueries.latest(roomId, []);
  const rules = roomVersionRules(roomVersion);
  if (rules === undefined)
    throw forbidden(`The room has the version ${roomVersion}, which is not known here.`);
  return rules;
}

/**
 * A join that a member from here is to authorise gets this server's signature, where that is right.
 * @see https://spec.matrix.org/v1.19/server-server-api/#restricted-rooms
 */
async function vouchedFor(
  context: SendContext,
  event: ReceivedEvent,
  rules: RoomVersionRules,
): Promise<ReceivedEvent> {
  const { room_id: roomId = "", content, sender } = event.pdu;
  const authoriser = content.join_authorised_via_users_server;
  if (!rules.restrictedJoins || content.membership !== "join" || authoriser === undefined) return event;
  if (typeof authoriser !== "string" || domainOf(authoriser) !== context.serverName) {
    throw invalidParam("This server can let users in for its own members alone.");
  }
  await context.roomQueries.restrictedJoin(roomId, sender);
  return coSigned(context, event, rules);
}

/** What came before may have been refused since. */
async function known({ roomQueries }: SendContext, event: ReceivedEvent): Promise<ReceivedEvent> {
  const [stored] = await roomQueries.eventsById([event.eventId]);
  if (stored === undefined || stored.status !== 0) {
    throw forbidden(stored?.reason || "The room does not let this pass.");
  }
  return { ...event, pdu: stored.pdu };
}
