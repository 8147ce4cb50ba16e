import type { ReceivedEvent } from "../../../matrix/received-event.ts";
import type { InputVerdict, ReceiveOptions, RoomInput } from "../../room/input/api.ts";
import type { KnownRoom } from "../known-rooms.ts";
import type { RoomFetcher } from "./fetcher.ts";

export type Missing = Extract<InputVerdict, { outcome: "missing" }>;

/**
 * Takes in events, and what they cite where that is not known here.
 * @returns what is missing all the same, by the ids of the events that lack it
 */
export async function receiveWithAuth(
  { roomInput, room, fetcher }: { roomInput: RoomInput; room: KnownRoom; fetcher: RoomFetcher },
  events: readonly ReceivedEvent[],
  options: Pick<ReceiveOptions, "as" | "statesBefore"> = {},
): Promise<Map<string, Missing>> {
  const receive = async () => {
    const unobtainable = [...fetcher.unobtainable];
    const verdicts = await roomInput.receive(room.roomId, events, { ...options, unobtainable });
    const missing = verdicts.filter((verdict) => verdict.outcome === "missing");
    return new Map(missing.map((verdict) => [verdict.eventId, verdict]));
  };
  const missing = await receive();
  const authOf = ({ eventId }: ReceivedEvent) => missing.get(eventId)?.authEvents ?? [];
  const lacking = events.filter((event) => authOf(event).length > 0);
  if (lacking.length === 0) return missing;
  const among = new Set<string>(events.map(({ eventId }) => eventId));
  for (const event of lacking) {
    // What one of them cites may have come with what another does.
    const known = await fetcher.known(authOf(event));
    const isToBeHad = (id: string) => !known.has(id) && !fetcher.unobtainable.has(id) && !among.has(id);
    const left = authOf(event).filter(isToBeHad);
    if (left.length > 0) await fetcher.fetchAuth(event, left);
  }
  return receive();
}
