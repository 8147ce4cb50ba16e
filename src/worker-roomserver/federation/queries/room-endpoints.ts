import * as v from "valibot";
import { booleanParameter, countParameter, objectOf, roomParams } from "../../../door/schemas.ts";
import { forbidden, invalidParam } from "../../../matrix/errors.ts";
import { parseRoomAlias, serverNameOf } from "../../../matrix/identifiers.ts";
import type { PublicRoomsQuery } from "../../room/api.ts";
import type { FederationContext } from "../context.ts";
import { Content, type Endpoint, endpoint } from "../door/endpoint.ts";

const publicRoomsPath = "/_matrix/federation/v1/publicRooms";

/** How the users of other servers find rooms. */
export function roomEndpoints({ room, roomDirectory, serverName, settings }: FederationContext): Endpoint[] {
  const publicRooms = async (query: PublicRoomsQuery) => {
    if (!settings().public_rooms_for_servers)
      throw forbidden("This server lists its rooms for its own users.");
    const written = await roomDirectory.publicRooms(query);
    return new Content(200, { "Content-Type": "application/json" }, written);
  };

  return [
    /** @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1querydirectory */
    endpoint(
      {
        method: "GET",
        path: "/_matrix/federation/v1/query/directory",
        auth: "server",
        query: v.object({ room_alias: v.string() }),
      },
      async ({ query }) => {
        const alias = parseRoomAlias(query.room_alias);
        // Nobody is to go through this server to ask another.
        if (serverNameOf(alias) !== serverName)
          throw invalidParam(`Aliases of this server end in :${serverName}.`);
        return room.resolveAlias(alias);
      },
    ),
    /** @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1publicrooms */
    endpoint(
      {
        method: "GET",
        path: publicRoomsPath,
        auth: "server",
        query: v.object({
          limit: countParameter,
          since: v.optional(v.string()),
          include_all_networks: v.optional(booleanParameter),
          third_party_instance_id: v.optional(v.string()),
        }),
      },
      ({ query }) => publicRooms(query),
    ),
    /** @see https://spec.matrix.org/v1.19/server-server-api/#post_matrixfederationv1publicrooms */
    endpoint(
      {
        method: "POST",
        path: publicRoomsPath,
        auth: "server",
        body: v.object({
          limit: v.optional(v.number()),
          since: v.optional(v.string()),
          filter: v.optional(
            objectOf({
              generic_search_term: v.optional(v.string()),
              room_types: v.optional(v.array(v.nullable(v.string()))),
            }),
          ),
          include_all_networks: v.optional(v.boolean()),
          third_party_instance_id: v.optional(v.string()),
        }),
      },
      ({ body }) => publicRooms(body),
    ),
    /** @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1hierarchyroomid */
    endpoint(
      {
        method: "GET",
        path: "/_matrix/federation/v1/hierarchy/{roomId}",
        auth: "server",
        params: roomParams,
        query: v.object({ suggested_only: v.optional(booleanParameter, "false") }),
      },
      ({ origin, params, query }) =>
        roomDirectory.hierarchyForServer(origin, params.roomId, query.suggested_only),
    ),
  ];
}
