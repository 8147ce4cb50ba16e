import { MatrixError } from "../../../matrix/errors.ts";
import type { RoomQueries } from "../../room/query/graph/api.ts";

/** Servers that are asked the same before it is given up. */
const MOST = 5;

/**
 * The servers that are asked about a room: first those that have spoken of it, and then others that are in it.
 * @param first - each once or more; "" for none
 */
export async function serversToAsk(
  roomQueries: Pick<RoomQueries, "serversIn">,
  roomId: string,
  first: readonly string[],
  ownName: string,
): Promise<string[]> {
  const servers = new Set(first);
  if (servers.size <= MOST) for (const server of await serversIn(roomQueries, roomId)) servers.add(server);
  servers.delete("");
  servers.delete(ownName);
  return [...servers].slice(0, MOST);
}

async function serversIn(roomQueries: Pick<RoomQueries, "serversIn">, roomId: string): Promise<string[]> {
  try {
    return await roomQueries.serversIn(roomId);
  } catch (error) {
    if (error instanceof MatrixError && error.status === 404) return [];
    throw error;
  }
}
