import type { RoomConsole, RoomDirectory } from "./api.ts";
import type { RoomInput } from "./input/api.ts";
import { makeRoomParts, type RoomPartsOptions } from "./make-parts.ts";
import type { RoomParts } from "./parts.ts";
import { closePurged, purgeRoom } from "./purge/purge-room.ts";
import { eventGraph } from "./query/event-graph.ts";
import type { RoomQueries } from "./query/graph/api.ts";
import { roomQueries } from "./query/graph/queries.ts";
import { SpaceHierarchy } from "./query/hierarchy.ts";
import { hierarchyForServer } from "./query/hierarchy-for-server.ts";
import { mutualRooms } from "./query/mutual-rooms.ts";
import { PublicRooms } from "./query/public-rooms.ts";
import { stateAtEvent } from "./query/state-around.ts";
import { roomSummary } from "./query/summary.ts";
import { RoomServer, type RoomServerHooks } from "./room-server.ts";

export type OpenRooms = {
  room: RoomServer;
  roomInput: RoomInput;
  roomQueries: RoomQueries;
  roomDirectory: RoomDirectory;
  roomConsole: RoomConsole;
  /** For what is done in calm moments (node/compactor.ts). */
  parts: RoomParts;
  /** Whether a room is still to be removed, which the leader before has not finished. */
  isPurging: boolean;
};

/** Opens the room server: everything that others may ask of it, over the same parts. */
export async function openRooms(options: RoomPartsOptions & RoomServerHooks): Promise<OpenRooms> {
  const parts = makeRoomParts(options);
  // Before anything is read: what is being removed must not be found.
  const isPurging = await closePurged(parts);
  const room = new RoomServer(parts, options);
  return {
    room,
    roomInput: room.input,
    roomQueries: roomQueries(parts),
    roomDirectory: openDirectory(parts),
    roomConsole: {
      eventGraph: (roomId, page) => eventGraph(parts, roomId, page),
      stateAtEvent: (roomId, eventId, page) => stateAtEvent(parts, roomId, eventId, page),
      purge: (roomId, how) => purgeRoom(parts, roomId, how),
    },
    parts,
    isPurging,
  };
}

function openDirectory(parts: RoomParts): RoomDirectory {
  const published = new PublicRooms(parts);
  const spaces = new SpaceHierarchy(parts);
  return {
    mutualRooms: (requester, userId, from) => mutualRooms(parts, requester, userId, from),
    publicRooms: (query) => published.list(query),
    summary: (requester, roomIdOrAlias) => roomSummary(parts, requester, roomIdOrAlias),
    hierarchy: (requester, roomId, query) => spaces.page(requester, roomId, query),
    hierarchyForServer: (serverName, roomId, suggestedOnly) =>
      hierarchyForServer(parts, serverName, roomId, suggestedOnly),
  };
}
