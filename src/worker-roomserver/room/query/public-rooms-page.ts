import { invalidParam } from "../../../matrix/errors.ts";
import type { PublishedRoom } from "../../../matrix/room-summary.ts";
import type { PublicRoomsQuery } from "../api.ts";

/** Rooms in an answer, if no fewer are asked for. */
const LIMIT = 100;

export type PublicRoomsPage = {
  chunk: PublishedRoom[];
  next_batch?: string;
  prev_batch?: string;
  total_room_count_estimate: number;
};

/** A place among the rooms: where the one of this id would stand with so many members. */
type Place = Pick<PublishedRoom, "num_joined_members" | "room_id">;

const FIRST: Place = { num_joined_members: Number.MAX_SAFE_INTEGER, room_id: "" };
const LAST: Place = { num_joined_members: -1, room_id: "" };

/** The largest come first; of those of one size it is the id that decides. */
export function comparePlaces(a: Place, b: Place): number {
  if (a.num_joined_members !== b.num_joined_members) return b.num_joined_members - a.num_joined_members;
  if (a.room_id === b.room_id) return 0;
  return a.room_id < b.room_id ? -1 : 1;
}

/**
 * A page of the directory. A token names a place, not a number of rooms: who pages on while rooms come, go and grow
 * misses none of those that stayed where they were, and gets none of them twice.
 * @param rooms - all that are listed, in the order of `comparePlaces`
 * @throws MatrixError M_INVALID_PARAM (400) for a token that is none, or a negative limit
 */
export function publicRoomsPage(rooms: readonly PublishedRoom[], query: PublicRoomsQuery): PublicRoomsPage {
  const limit = limitOf(query);
  const since = query.since === undefined || query.since === "" ? undefined : parseToken(query.since);
  const wanted = rooms.filter((room) => isWanted(room, query.filter));
  const [start, end] = range(wanted, since, limit);
  const chunk = wanted.slice(start, end);
  return {
    chunk,
    ...(end < wanted.length && { next_batch: token("n", chunk.at(-1) ?? FIRST) }),
    ...(start > 0 && { prev_batch: token("p", chunk[0] ?? LAST) }),
    total_room_count_estimate: wanted.length,
  };
}

type Since = { isForward: boolean; place: Place };

function range(rooms: readonly Place[], since: Since | undefined, limit: number): [number, number] {
  if (since === undefined) return [0, Math.min(limit, rooms.length)];
  const { isForward, place } = since;
  if (isForward) {
    const start = rooms.filter((room) => comparePlaces(room, place) <= 0).length;
    return [start, Math.min(start + limit, rooms.length)];
  }
  const end = rooms.filter((room) => comparePlaces(room, place) < 0).length;
  return [Math.max(0, end - limit), end];
}

/** Servers ask with 0 for as many as there may be. */
function limitOf({ limit = LIMIT }: PublicRoomsQuery): number {
  if (!Number.isInteger(limit) || limit < 0) throw invalidParam("limit is a number of rooms.");
  return limit === 0 ? LIMIT : Math.min(limit, LIMIT);
}

function isWanted(room: PublishedRoom, filter: PublicRoomsQuery["filter"]): boolean {
  const types = filter?.room_types;
  if (types !== undefined && !types.includes(room.room_type ?? null)) return false;
  const term = folded(filter?.generic_search_term ?? "");
  return [room.name, room.topic, room.canonical_alias].some((text) => folded(text ?? "").includes(term));
}

/** So that texts which look the same but for their case are the same. */
const folded = (text: string) => text.normalize("NFKC").toLowerCase();

const token = (direction: "n" | "p", { num_joined_members, room_id }: Place) =>
  `${direction}${num_joined_members}_${room_id}`;

function parseToken(text: string): Since {
  const [, direction, members, roomId] = /^([np])(-1|\d{1,16})_(.*)$/s.exec(text) ?? [];
  if (roomId === undefined) throw invalidParam("since is not a token that this server has given out.");
  return { isForward: direction === "n", place: { num_joined_members: Number(members), room_id: roomId } };
}
