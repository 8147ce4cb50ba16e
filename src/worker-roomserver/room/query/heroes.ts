import type { EventNid } from "../../storage/schema.ts";
import type { RoomParts } from "../parts.ts";

const HEROES = 5;
/** Member events read at a time, in the search for heroes. */
const PAGE = 20;

/**
 * The members to name a room after that has no name of its own: the first to have joined or been invited; where there are
 * none, those who once were there. Mostly reads one page of events.
 * @param members - the member events of a state
 * @param userId - for whom: they do not name it after themselves
 */
export async function heroesIn(
  { events }: Pick<RoomParts, "events">,
  members: readonly EventNid[],
  userId: string,
): Promise<string[]> {
  // Numbers are given in the order in which events became known here.
  const nids = members.toSorted((a, b) => a - b);
  const present: string[] = [];
  const gone: string[] = [];
  for (let i = 0; i < nids.length && present.length < HEROES; i += PAGE) {
    for (const { pdu } of await events.get(nids.slice(i, i + PAGE))) {
      const { membership } = pdu.content;
      if (pdu.state_key === userId) continue;
      if (membership === "join" || membership === "invite") present.push(pdu.state_key ?? "");
      else if (membership === "leave" || membership === "ban") gone.push(pdu.state_key ?? "");
    }
  }
  return (present.length > 0 ? present : gone).slice(0, HEROES);
}
