import type { RoomForReaders } from "../../room/api.ts";
import type { ListFilters } from "./api.ts";
import type { RoomFactsCache } from "./room-facts.ts";
import type { ListedRoom } from "./room-list.ts";
import type { UserData } from "./user-data.ts";

export type FilterSources = { rooms: RoomForReaders; facts: RoomFactsCache; data: UserData };

/** The rooms that pass a list's filters, in their order. Of a room without facts (an invite), only its name is asked. */
export async function filterRooms(
  sources: FilterSources,
  listed: readonly ListedRoom[],
  filters: ListFilters | undefined,
): Promise<readonly ListedRoom[]> {
  if (filters === undefined) return listed;
  const inSpaces = filters.spaces && (await childrenOf(sources, listed, filters.spaces));
  const passes = await Promise.all(
    listed.map(
      (room) =>
        passesUserFilters(sources.data, room, filters, inSpaces) && passesFacts(sources, room, filters),
    ),
  );
  return listed.filter((_, i) => passes[i]);
}

function passesUserFilters(
  { direct, tags }: UserData,
  { roomId, membership }: ListedRoom,
  filters: ListFilters,
  inSpaces: ReadonlySet<string> | undefined,
): boolean {
  const own = tags.get(roomId) ?? new Set<string>();
  if (filters.is_dm !== undefined && direct.has(roomId) !== filters.is_dm) return false;
  if (filters.is_invite !== undefined && (membership === "invite") !== filters.is_invite) return false;
  if (filters.not_tags?.some((tag) => own.has(tag)) === true) return false;
  if (filters.tags !== undefined && !filters.tags.some((tag) => own.has(tag))) return false;
  return inSpaces === undefined || inSpaces.has(roomId);
}

async function passesFacts(
  { rooms, facts }: FilterSources,
  listed: ListedRoom,
  filters: ListFilters,
): Promise<boolean> {
  const {
    is_encrypted: encrypted,
    room_types: types,
    not_room_types: notTypes,
    room_name_like: like,
  } = filters;
  if (encrypted === undefined && types === undefined && notTypes === undefined && like === undefined)
    return true;
  const known =
    listed.membership === "invite" || listed.membership === "knock"
      ? await strippedFacts(rooms, listed)
      : await facts.facts(listed.room);
  if (encrypted !== undefined && known.encrypted !== encrypted) return false;
  if (notTypes?.includes(known.type) === true) return false;
  if (types !== undefined && !types.includes(known.type)) return false;
  return like === undefined || known.name.toLowerCase().includes(like.toLowerCase());
}

/** What an invite says of its room. */
async function strippedFacts(rooms: RoomForReaders, { room, event }: ListedRoom) {
  const [member] = await rooms.events([event]);
  const state = await rooms.strippedState(room, member?.pdu.state_key ?? "");
  const content = (type: string) =>
    state.find((entry) => entry.type === type && entry.state_key === "")?.content as
      | Record<string, unknown>
      | undefined;
  const type = content("m.room.create")?.type;
  const name = content("m.room.name")?.name;
  return {
    type: typeof type === "string" ? type : null,
    encrypted: content("m.room.encryption") !== undefined,
    name: typeof name === "string" ? name : "",
  };
}

/** Rooms that are children of the spaces, of those of them that the user is joined to. */
async function childrenOf(
  { rooms }: FilterSources,
  listed: readonly ListedRoom[],
  spaces: readonly string[],
): Promise<ReadonlySet<string>> {
  const wanted = new Set(spaces);
  const joined = listed.filter(({ roomId, membership }) => membership === "join" && wanted.has(roomId));
  const children = await Promise.all(
    joined.map(async ({ room }) => {
      const state = await rooms.snapshotAt(room, Number.MAX_SAFE_INTEGER);
      const events = await rooms.events(await rooms.stateOf(state, "others"));
      return events
        .filter(({ pdu }) => pdu.type === "m.space.child" && Array.isArray(pdu.content.via))
        .map(({ pdu }) => pdu.state_key ?? "");
    }),
  );
  return new Set(children.flat());
}
