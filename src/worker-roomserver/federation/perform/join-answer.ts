import { MatrixError } from "../../../matrix/errors.ts";
import { elementTexts, memberText } from "../../../matrix/json-parts.ts";
import { type ReceivedEvent, readReceivedEvent } from "../../../matrix/received-event.ts";
import type { RoomVersionRules } from "../../../matrix/room-versions.ts";
import { Breath } from "../../node/breathe.ts";
import type { WholeRoom } from "../../room/input/api.ts";
import type { KeyRing } from "../api.ts";

type Place = { roomId: string; rules: RoomVersionRules };

/**
 * The events of the answer to `send_join`, each from its own text: those that are no events of the room, and those that
 * are not signed as they must be, are left out, and whether the rest is enough is for the room server to say.
 *
 * Costs for each event its hashes and a signature. The work makes way for others.
 * @throws MatrixError M_NOT_JSON, M_BAD_JSON (400) for what has no such lists
 * @see https://spec.matrix.org/v1.19/server-server-api/#put_matrixfederationv2send_joinroomideventid
 */
export async function readRoom(
  text: string,
  place: Place,
  checkEvents: KeyRing["checkEvents"],
): Promise<Pick<WholeRoom, "state" | "authChain">> {
  // Many servers put the events of the state into the auth chain again.
  const all = new Map<string, ReceivedEvent>();
  const state = await readEvents(elementTexts(text, "state"), place, all);
  const authChain = await readEvents(elementTexts(text, "auth_chain"), place, all);
  const listed = [...all.values()];
  const faults = await checkEvents(listed, place.rules);
  const good = new Set(listed.filter((_, i) => faults[i] === undefined).map(({ eventId }) => eventId));
  const isGood = ({ eventId }: ReceivedEvent) => good.has(eventId);
  return { state: state.filter(isGood), authChain: authChain.filter(isGood) };
}

/**
 * The user's event as the server has sent it on, with its own signature: needed where that lets the user in.
 * @returns undefined where it is another event, or not signed by whom it names
 */
export async function readSignedEvent(
  text: string,
  sent: ReceivedEvent,
  rules: RoomVersionRules,
  checkEvents: KeyRing["checkEvents"],
): Promise<ReceivedEvent | undefined> {
  const own = memberText(text, "event");
  const event = own === undefined ? undefined : readOrDrop(own, rules);
  // The id is the hash of all that counts, but for the signatures.
  if (event?.eventId !== sent.eventId) return undefined;
  const [fault] = await checkEvents([event], rules);
  return fault === undefined ? event : undefined;
}

/** @param all - events that were read before, by id; the new ones are added */
async function readEvents(
  texts: readonly string[],
  place: Place,
  all: Map<string, ReceivedEvent>,
): Promise<ReceivedEvent[]> {
  const breath = new Breath();
  const events = new Map<string, ReceivedEvent>();
  for (const text of texts) {
    const event = readOrDrop(text, place.rules);
    await breath.take();
    if (event === undefined || !isOf(place, event)) continue;
    const same = all.get(event.eventId) ?? event;
    all.set(same.eventId, same);
    events.set(same.eventId, same);
  }
  return [...events.values()];
}

function readOrDrop(text: string, rules: RoomVersionRules): ReceivedEvent | undefined {
  try {
    return readReceivedEvent(text, rules);
  } catch (error) {
    if (error instanceof MatrixError) return undefined;
    throw error;
  }
}

function isOf({ roomId, rules }: Place, { eventId, pdu }: ReceivedEvent): boolean {
  const isNamesake = rules.roomIdIsCreateHash && pdu.type === "m.room.create";
  return (isNamesake ? `!${eventId.slice(1)}` : pdu.room_id) === roomId;
}
