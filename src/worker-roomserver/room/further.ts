import type { RoomConsole, RoomDirectory } from "./api.ts";
import { roomsForOwner } from "./console/rooms-for-owner.ts";
import type { RoomParts } from "./parts.ts";
import { purgeRoom } from "./purge/purge-room.ts";
import { eventGraph } from "./query/event-graph.ts";
import { SpaceHierarchy } from "./query/hierarchy.ts";
import { hierarchyForServer } from "./query/hierarchy-for-server.ts";
import { mutualRooms } from "./query/mutual-rooms.ts";
import { PublicRooms } from "./query/public-rooms.ts";
import { stateAtEvent } from "./query/state-around.ts";
import { roomSummary } from "./query/summary.ts";

export { roomQueries } from "./query/graph/queries.ts";

/*
 * What a homeserver is not asked while it opens.
 */

export function roomDirectory(parts: RoomParts): RoomDirectory {
  const published = new PublicRooms(parts);
  const spaces = new SpaceHierarchy(parts);
  return {
    mutualRooms: (requester, userId, from) => mutualRooms(parts, requester, userId, from),
    publicRooms: (query) => published.list(query),
    summary: (requester, roomIdOrAlias, via) => roomSummary(parts, requester, roomIdOrAlias, via),
    hierarchy: (requester, roomId, query) => spaces.page(requester, roomId, query),
    hierarchyForServer: (serverName, roomId, suggestedOnly) =>
      hierarchyForServer(parts, serverName, roomId, suggestedOnly),
  };
}

export function roomConsole(parts: RoomParts): RoomConsole {
  return {
    eventGraph: (roomId, page) => eventGraph(parts, roomId, page),
    stateAtEvent: (roomId, eventId, page) => stateAtEvent(parts, roomId, eventId, page),
    purge: (roomId, how) => purgeRoom(parts, roomId, how),
    ...roomsForOwner(parts),
  };
}
