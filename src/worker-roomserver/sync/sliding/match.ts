import type { JsonObject } from "../../../matrix/json.ts";
import type { ListConfig, ListFilters, RoomConfig, SlidingSyncQuery } from "./api.ts";
import { combined, type Wanted } from "./required-state.ts";
import type { ListedRoom } from "./room-list.ts";

/** A room that a request asks for, and all that it asks of it. */
export type Match = {
  listed: ListedRoom;
  wanted: Wanted;
  /** Names of the lists that have it in their ranges. */
  lists: readonly string[];
  isSubscribed: boolean;
};

export type Matches = { rooms: Match[]; lists: JsonObject };

type Found = { listed: ListedRoom; configs: RoomConfig[]; lists: string[]; isSubscribed: boolean };

/**
 * The rooms of a request's lists and subscriptions, each once.
 * @param listed - the rooms of the user, in the order of lists
 * @param filter - those of them that pass filters
 */
export async function matchRooms(
  query: SlidingSyncQuery,
  listed: readonly ListedRoom[],
  userId: string,
  filter: (filters: ListFilters | undefined) => Promise<readonly ListedRoom[]>,
): Promise<Matches> {
  const found = new Map<string, Found>();
  const add = (room: ListedRoom, config: RoomConfig): Found => {
    const known = found.get(room.roomId) ?? { listed: room, configs: [], lists: [], isSubscribed: false };
    found.set(room.roomId, known);
    known.configs.push(config);
    return known;
  };
  const lists: JsonObject = {};
  for (const [name, config] of Object.entries(query.lists ?? {})) {
    const rooms = await filter(config.filters);
    lists[name] = { count: rooms.length };
    for (const room of inRanges(rooms, config)) add(room, config).lists.push(name);
  }
  const byId = new Map(listed.map((room) => [room.roomId, room]));
  for (const [roomId, config] of Object.entries(query.room_subscriptions ?? {})) {
    const room = byId.get(roomId);
    // One that the user has no part in is treated as if there were none.
    if (room !== undefined) add(room, config).isSubscribed = true;
  }
  // Rooms of the same lists want the same: what that is has to be found out once.
  const wanted = new Map<string, Wanted>();
  const rooms = [...found.values()].map(({ configs, ...match }) => {
    const key = match.isSubscribed ? match.listed.roomId : JSON.stringify(match.lists);
    const same = wanted.get(key) ?? combined(configs, userId);
    wanted.set(key, same);
    return { ...match, wanted: same };
  });
  return { rooms, lists };
}

/** Each room once, though ranges may overlap. */
function inRanges(
  rooms: readonly ListedRoom[],
  { ranges, slow_get_all_rooms: all }: ListConfig,
): readonly ListedRoom[] {
  if (ranges === undefined || all === true) return rooms;
  return [...new Set(ranges.flatMap(([first, last]) => rooms.slice(first, last + 1)))];
}
