import { domainOf } from "../../../matrix/domain.ts";
import { invalidParam } from "../../../matrix/errors.ts";
import { checkEventSize } from "../../../matrix/event-format.ts";
import type { ReceivedEvent } from "../../../matrix/received-event.ts";
import type { RoomVersionRules } from "../../../matrix/room-versions.ts";
import type { ServerName } from "../../../matrix/server-names.ts";
import { signEvent } from "../../../matrix/signing.ts";
import type { FederationContext } from "../context.ts";

/** What a server says that it sends. */
export type Announced = {
  origin: ServerName;
  roomId: string;
  eventId: string;
  membership: "join" | "knock" | "leave" | "invite";
};

/**
 * Whether the event is what it is said to be, and from the server that sends it.
 * @throws MatrixError M_INVALID_PARAM (400)
 */
export function checkMemberEvent({ eventId, pdu }: ReceivedEvent, announced: Announced): void {
  const { origin, membership } = announced;
  if (eventId !== announced.eventId) throw invalidParam("The event has another ID than the path says.");
  if (pdu.room_id !== announced.roomId)
    throw invalidParam("The event is of another room than the path says.");
  if (pdu.type !== "m.room.member" || pdu.content.membership !== membership) {
    throw invalidParam(`The event is no m.room.member event with the membership ${membership}.`);
  }
  if (domainOf(pdu.sender) !== origin) throw invalidParam("The event's sender is not of your server.");
  if (membership !== "invite" && pdu.state_key !== pdu.sender) {
    throw invalidParam("The event's state key is not its sender.");
  }
}

/** @throws MatrixError M_INVALID_PARAM (400) */
export async function checkSignatures(
  { keyRing }: Pick<FederationContext, "keyRing">,
  event: ReceivedEvent,
  rules: RoomVersionRules,
): Promise<void> {
  const [fault] = await keyRing.checkEvents([event], rules);
  if (fault !== undefined) throw invalidParam(fault.why);
}

/** The event with this server's signature added. @throws MatrixError M_TOO_LARGE (413) for one that others would not take then */
export async function coSigned(
  { serverName, key }: Pick<FederationContext, "serverName" | "key">,
  { eventId, pdu }: ReceivedEvent,
  rules: RoomVersionRules,
): Promise<ReceivedEvent> {
  const signed = await signEvent(pdu, rules, serverName, key);
  const json = JSON.stringify(signed);
  checkEventSize(json);
  return { eventId, pdu: signed, json };
}
