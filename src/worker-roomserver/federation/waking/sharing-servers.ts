import { Breath } from "../../node/breathe.ts";
import type { FederationContext } from "../context.ts";
import type { Edus } from "../edus/edus.ts";

/** Rooms whose keys are read at a time. */
const PAGE = 200;

/**
 * Other servers that share a room with this one, room by room; a server may come several times. Costs one range of the
 * members of each room, as far as it is gone through.
 */
export async function* sharingServers(
  { storage, serverName }: Pick<FederationContext, "storage" | "serverName">,
  { serversIn }: Pick<Edus, "serversIn">,
): AsyncGenerator<string> {
  const breath = new Breath();
  let last: number | undefined;
  for (;;) {
    const range = last === undefined ? undefined : IDBKeyRange.lowerBound(last, true);
    const rooms = await storage.getAllKeys("rooms", range, PAGE);
    if (rooms.length === 0) return;
    for (const room of rooms) {
      const servers = await serversIn(room);
      if (servers.has(serverName)) for (const server of servers) if (server !== serverName) yield server;
      await breath.take();
    }
    last = rooms.at(-1);
  }
}
