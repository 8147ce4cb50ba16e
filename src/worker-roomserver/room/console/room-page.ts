import { decodeBase64, encodeBase64Url } from "../../../matrix/base64.ts";
import { invalidParam } from "../../../matrix/errors.ts";
import type { RoomListing, RoomOrder, RoomsQuery } from "./api.ts";

const mostListed = 500;

/** What a room is ordered by; no two rooms have the same, as the id is a part of it. */
type Place = [value: string | number, roomId: string];

/** One page of rooms. Pure: the same rooms and query give the same page. */
export function roomPage(
  rooms: readonly RoomListing[],
  { search, orderBy, dir, from, limit }: RoomsQuery,
): { rooms: RoomListing[]; total: number; next_batch?: string } {
  const wanted = search?.toLowerCase();
  const found = wanted === undefined ? rooms : rooms.filter((room) => isFound(room, wanted));
  const sign = dir === "f" ? 1 : -1;
  const compare = (one: Place, other: Place) => sign * comparePlaces(one, other);
  const after = from === undefined ? undefined : parsePlace(from, orderBy);
  const places = found
    .map((room) => ({ room, place: placeOf(room, orderBy) }))
    .filter(({ place }) => after === undefined || compare(place, after) > 0)
    .sort((one, other) => compare(one.place, other.place));
  const page = places.slice(0, Math.min(Math.max(1, limit), mostListed));
  const last = page.at(-1);
  return {
    rooms: page.map(({ room }) => room),
    total: found.length,
    ...(last !== undefined && page.length < places.length && { next_batch: tokenOf(last.place) }),
  };
}

function isFound({ room_id, name, canonical_alias }: RoomListing, wanted: string): boolean {
  return [room_id, name, canonical_alias].some((text) => text?.toLowerCase().includes(wanted));
}

/** A room without a name is called by its alias, or comes first. */
function placeOf(room: RoomListing, orderBy: RoomOrder): Place {
  const value = orderBy === "name" ? (room.name ?? room.canonical_alias ?? "").toLowerCase() : room[orderBy];
  return [value, room.room_id];
}

/** By code unit, never by locale: the same everywhere. */
function comparePlaces([one, oneRoom]: Place, [other, otherRoom]: Place): number {
  if (one !== other) return one < other ? -1 : 1;
  if (oneRoom === otherRoom) return 0;
  return oneRoom < otherRoom ? -1 : 1;
}

const tokenOf = (place: Place) => encodeBase64Url(new TextEncoder().encode(JSON.stringify(place)));

function parsePlace(token: string, orderBy: RoomOrder): Place {
  const place = parsed(token);
  if (Array.isArray(place) && place.length === 2) {
    const [value, roomId]: unknown[] = place;
    const type = orderBy === "name" ? "string" : "number";
    if (typeof value === type && typeof roomId === "string") return [value as string | number, roomId];
  }
  throw invalidParam('"from" is not a token that this server has given out for this order.');
}

function parsed(token: string): unknown {
  const bytes = decodeBase64(token);
  if (bytes === undefined) return undefined;
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return undefined; // whatever it is, it is no token
  }
}
