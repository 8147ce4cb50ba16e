import { invalidParam, MatrixError } from "../../../matrix/errors.ts";
import { isJsonObject, type JsonObject } from "../../../matrix/json.ts";
import { parseOnly } from "../../../matrix/json-text.ts";
import { type ReceivedEvent, readReceivedEvent } from "../../../matrix/received-event.ts";
import type { RoomVersionRules } from "../../../matrix/room-versions.ts";
import type { FederationContext } from "../context.ts";

/** Events of which an invite or a knock tells: more than there are kinds of them. */
const MOST_EVENTS = 50;

type Room = { roomId: string; rules: RoomVersionRules };

/**
 * What another server tells of a room that is not known here. It should come as PDUs, of which those that are malformed, of
 * another room or badly signed are left out; older servers strip the events, and who invites can say anything then. Where a
 * room's id is its create event's, a lie is as good as proved: the whole of it is refused.
 * @param texts - the events as they came
 * @returns events of which `shownStrippedState` makes what people get
 * @throws MatrixError M_INVALID_PARAM (400)
 * @see https://spec.matrix.org/v1.19/server-server-api/#put_matrixfederationv2inviteroomideventid
 */
export async function readToldState(
  { keyRing }: Pick<FederationContext, "keyRing">,
  texts: readonly string[],
  { roomId, rules }: Room,
): Promise<JsonObject[]> {
  const isStrict = rules.roomIdIsCreateHash;
  const told: JsonObject[] = [];
  const signed: ReceivedEvent[] = [];
  for (const text of texts.slice(0, MOST_EVENTS)) {
    const value = parseOnly(text);
    const read = isPdu(value) ? readOf(text, { roomId, rules }) : undefined;
    if (typeof read === "string" && isStrict) throw invalidParam(read);
    if (typeof read === "object") signed.push(read);
    else if (!isPdu(value) && isJsonObject(value)) told.push(value);
  }
  const faults = await keyRing.checkEvents(signed, rules);
  const wrong = faults.find((fault) => fault !== undefined && !fault.unknown);
  if (wrong !== undefined && isStrict) throw invalidParam(wrong.why);
  told.push(...signed.filter((_, i) => faults[i] === undefined).map(({ pdu }) => pdu));
  if (isStrict && !told.some(({ type, state_key: key }) => type === "m.room.create" && key === "")) {
    throw invalidParam("The state of the room lacks its m.room.create event.");
  }
  return told;
}

/** Stripped events have nothing of the like. */
function isPdu(value: unknown): boolean {
  return typeof value === "object" && value !== null && ("signatures" in value || "auth_events" in value);
}

/** @returns what is wrong with it, if something is */
function readOf(text: string, { roomId, rules }: Room): ReceivedEvent | string {
  try {
    const event = readReceivedEvent(text, rules);
    const isNamesake = rules.roomIdIsCreateHash && event.pdu.type === "m.room.create";
    const of = isNamesake ? `!${event.eventId.slice(1)}` : event.pdu.room_id;
    return of === roomId ? event : "An event of the room's state is of another room.";
  } catch (error) {
    if (error instanceof MatrixError) return `An event of the room's state is none. ${error.message}`;
    throw error;
  }
}
