import { domainOf } from "../../../matrix/domain.ts";
import type { JsonObject } from "../../../matrix/json.ts";
import type { Requester, RequestId } from "../../node/requester.ts";
import type { RoomParts } from "../parts.ts";
import { durable } from "../query/graph/durable.ts";
import type { RoomDetails, RoomsForOwner } from "./api.ts";
import { mediaInRoom } from "./media-in-room.ts";
import { Purges } from "./purges.ts";
import { RoomListings } from "./room-listings.ts";
import { roomPage } from "./room-page.ts";

/** Servers that the details of a room name. */
const SERVERS = 100;
const mostRooms = 500;

export function roomsForOwner(parts: RoomParts): RoomsForOwner {
  const listings = new RoomListings(parts);
  const purges = new Purges(parts);
  return {
    list: async (query) => roomPage(await durable(parts.storage, () => listings.all()), query),
    details: (roomId) => durable(parts.storage, () => details(parts, listings, roomId)),
    roomsOf: (userId, page) => roomsOf(parts, userId, page),
    media: (roomId, page) => mediaInRoom(parts, roomId, page),
    setAlias: (...alias) => setAlias(parts, ...alias),
    startPurge: (roomId, how) => purges.start(roomId, how),
    purgeStatus: (roomId) => purges.status(roomId),
  };
}

async function details(parts: RoomParts, listings: RoomListings, roomId: string): Promise<RoomDetails> {
  const { heads, memberships, directory } = parts;
  const head = await heads.get(roomId);
  const [listing, members, { invited }, { aliases }, ...events] = await Promise.all([
    listings.of(head),
    memberships.joined(head.nid),
    memberships.counts(head.nid),
    directory.of(roomId),
    ...["m.room.topic", "m.room.avatar", "m.room.history_visibility", "m.room.guest_access"].map((type) =>
      head.state(type, ""),
    ),
    head.state("m.room.tombstone", ""),
  ]);
  const [topic, avatar, visibility, guests, tombstone] = events.map((event) => event?.pdu.content);
  const servers = serversOf(members);
  return {
    ...listing,
    ...text("topic", topic?.topic),
    ...text("avatar_url", avatar?.url),
    history_visibility: textOr(visibility?.history_visibility, "shared"),
    guest_access: textOr(guests?.guest_access, "forbidden"),
    invited_members: invited,
    servers: servers.slice(0, SERVERS),
    joined_servers: servers.length,
    state_events: head.current.entries().length,
    forward_extremities: head.extremities.map(({ eventId }) => eventId),
    aliases,
    ...(tombstone !== undefined && { tombstone }),
  };
}

/** Those with the most members first. */
function serversOf(members: Iterable<string>): RoomDetails["servers"] {
  const counts = new Map<string, number>();
  for (const userId of members) {
    const server = domainOf(userId) ?? "";
    counts.set(server, (counts.get(server) ?? 0) + 1);
  }
  return [...counts]
    .map(([server_name, joined_members]) => ({ server_name, joined_members }))
    .sort(
      (one, other) =>
        other.joined_members - one.joined_members || (one.server_name < other.server_name ? -1 : 1),
    );
}

async function roomsOf(
  { memberships }: RoomParts,
  userId: string,
  page: { from?: string | undefined; limit: number },
): ReturnType<RoomsForOwner["roomsOf"]> {
  const { from = "" } = page;
  const rooms = [...(await memberships.of(userId)).values()]
    .filter(({ roomId }) => roomId > from)
    .sort((one, other) => (one.roomId < other.roomId ? -1 : 1));
  const shown = rooms.slice(0, Math.min(Math.max(1, page.limit), mostRooms));
  const last = shown.at(-1);
  return {
    rooms: shown.map(({ roomId, membership }) => ({ room_id: roomId, membership })),
    ...(last !== undefined && shown.length < rooms.length && { next_batch: last.roomId }),
  };
}

function setAlias(
  { answers, directory, heads, storage }: RoomParts,
  request: RequestId,
  requester: Requester,
  alias: string,
  roomId: string,
): Promise<JsonObject> {
  return answers.once<JsonObject>(request, async (record) => {
    directory.checkFree(requester, alias);
    await heads.get(roomId);
    return directory.claim(alias, () =>
      storage.commit((write) => {
        directory.put(write, alias, roomId, requester.userId);
        return record(write, {});
      }),
    );
  });
}

const text = <Name extends string>(name: Name, value: unknown) =>
  typeof value === "string" ? ({ [name]: value } as { [name in Name]: string }) : {};

const textOr = (value: unknown, fallback: string) => (typeof value === "string" ? value : fallback);
