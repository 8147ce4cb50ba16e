import type { JsonObject } from "../../matrix/json.ts";
import type { RoomForReaders, StoredEvent } from "../room/api.ts";
import type { Nid, SnapshotNid } from "../storage/schema.ts";

const HEROES = 5;
/** Member events read at a time, in the search for heroes. */
const PAGE = 20;

export type Summary = { json: JsonObject; heroes: string[] };

/**
 * The numbers of members, and the members to name a room after that has no name of its own.
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3sync_response-200_roomsummary
 */
export async function roomSummary(
  rooms: RoomForReaders,
  room: Nid,
  state: SnapshotNid,
  userId: string,
): Promise<Summary> {
  const [counts, name, alias] = await Promise.all([
    rooms.memberCounts(room),
    stateEvent(rooms, state, "m.room.name"),
    stateEvent(rooms, state, "m.room.canonical_alias"),
  ]);
  const json: JsonObject = {
    "m.joined_member_count": counts.joined,
    "m.invited_member_count": counts.invited,
  };
  if (isText(name?.pdu.content.name) || isText(alias?.pdu.content.alias)) return { json, heroes: [] };
  const heroes = await findHeroes(rooms, state, userId);
  return { json: { "m.heroes": heroes, ...json }, heroes };
}

/** The first to have joined or been invited; where there are none, those who once were there. */
async function findHeroes(rooms: RoomForReaders, state: SnapshotNid, userId: string): Promise<string[]> {
  const [members, own] = await Promise.all([
    rooms.stateOf(state, "members"),
    rooms.stateEntry(state, "m.room.member", userId),
  ]);
  const nids = members.filter((nid) => nid !== own);
  nids.sort((a, b) => a - b); // nids are given in the order in which events became known here
  const present: string[] = [];
  const gone: string[] = [];
  for (let i = 0; i < nids.length && present.length < HEROES; i += PAGE) {
    for (const { pdu } of await rooms.events(nids.slice(i, i + PAGE))) {
      const { membership } = pdu.content;
      if (membership === "join" || membership === "invite") present.push(pdu.state_key ?? "");
      else if (membership === "leave" || membership === "ban") gone.push(pdu.state_key ?? "");
    }
  }
  return (present.length > 0 ? present : gone).slice(0, HEROES);
}

/** Whether any of these changes of state can make a summary that was sent before out of date. */
export function changesSummary(changes: readonly StoredEvent[]): boolean {
  return changes.some(
    ({ pdu }) =>
      pdu.type === "m.room.member" || pdu.type === "m.room.name" || pdu.type === "m.room.canonical_alias",
  );
}

async function stateEvent(
  rooms: RoomForReaders,
  state: SnapshotNid,
  type: string,
): Promise<StoredEvent | undefined> {
  const nid = await rooms.stateEntry(state, type, "");
  return nid === undefined ? undefined : (await rooms.events([nid]))[0];
}

function isText(value: unknown): boolean {
  return typeof value === "string" && value !== "";
}
