import { unknown } from "../../../matrix/errors.ts";
import { isRoomId, isServerName, parseRoomAlias, serverNameOf } from "../../../matrix/identifiers.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../../../matrix/json.ts";
import { readList, readPublishedRoom } from "../../../matrix/told-rooms.ts";
import type { PublicRoomsQuery } from "../../room/api.ts";
import type { RemoteQuestions } from "../../room/questions/api.ts";
import type { FederationContext } from "../context.ts";
import { asMatrixError } from "./failures.ts";
import { remoteEvents, type TakeInOld } from "./remote-events.ts";
import { remoteHierarchies } from "./remote-hierarchies.ts";

/** Somebody waits for these. Milliseconds. */
const ALIAS_TIMEOUT_MS = 15_000;
const ALIAS_BYTES = 256 * 1024;
/** Servers that are taken from an answer: who joins tries some. */
const SERVERS_NAMED = 50;
const DIRECTORY_TIMEOUT_MS = 20_000;
const DIRECTORY_BYTES = 5 * 1024 * 1024;

/** Asks other servers about rooms. What they answer is taken apart: nothing of it goes to clients unread. */
export function remoteQuestions(context: FederationContext, takeIn: TakeInOld): RemoteQuestions {
  const { client } = context;

  return {
    hierarchy: remoteHierarchies(context),
    eventNear: remoteEvents(context, takeIn),

    async resolveAlias(alias) {
      const destination = serverNameOf(parseRoomAlias(alias));
      const uri = `/_matrix/federation/v1/query/directory?room_alias=${encodeURIComponent(alias)}`;
      try {
        const { json } = await client.request({
          ...{ method: "GET", destination, uri, timeoutMs: ALIAS_TIMEOUT_MS, maxBytes: ALIAS_BYTES },
          // Mostly somebody who wants to join.
          evenBackedOff: "yes",
        });
        if (!isJsonObject(json) || !isRoomId(json.room_id)) {
          throw unknown(`${destination} answers with what is no room.`, 502);
        }
        const servers = Array.isArray(json.servers) ? json.servers.filter(isServerName) : [];
        // Who answers for the alias is likely to know the room, whether it says so or not.
        const named = [...new Set([...servers.slice(0, SERVERS_NAMED), destination])];
        return { room_id: json.room_id, servers: named };
      } catch (error) {
        throw asMatrixError(error, `There is no room with the alias ${alias}.`);
      }
    },

    async publicRooms(server, query) {
      try {
        const { json } = await client.request({
          ...publicRoomsRequest(query),
          destination: server,
          ...{ timeoutMs: DIRECTORY_TIMEOUT_MS, maxBytes: DIRECTORY_BYTES },
        });
        return readPage(json, server);
      } catch (error) {
        throw asMatrixError(error, `${server} has no directory of rooms.`);
      }
    },
  };
}

const directoryPath = "/_matrix/federation/v1/publicRooms";

/** Only a search needs a body: some servers know no other. */
function publicRoomsRequest(query: PublicRoomsQuery) {
  const { limit, since, filter, include_all_networks, third_party_instance_id } = query;
  const named = { limit, since, include_all_networks, third_party_instance_id };
  const given = Object.entries(named).filter((entry) => entry[1] !== undefined) as [string, string][];
  if (filter === undefined) {
    const search = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
    return { method: "GET" as const, uri: search === "" ? directoryPath : `${directoryPath}?${search}` };
  }
  const content = { ...Object.fromEntries(given), filter: JSON.parse(JSON.stringify(filter)) as JsonObject };
  return { method: "POST" as const, uri: directoryPath, content };
}

function readPage(json: JsonValue, server: string): JsonObject {
  if (!isJsonObject(json)) throw unknown(`${server} answers with what is no directory.`, 502);
  const { next_batch: next, prev_batch: previous, total_room_count_estimate: total } = json;
  return {
    chunk: readList(json.chunk, readPublishedRoom),
    ...(typeof next === "string" && { next_batch: next }),
    ...(typeof previous === "string" && { prev_batch: previous }),
    ...(Number.isSafeInteger(total) && { total_room_count_estimate: total as number }),
  };
}
