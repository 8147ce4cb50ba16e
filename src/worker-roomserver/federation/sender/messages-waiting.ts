import type { Storage } from "../../storage/api.ts";

/** More of them are not counted. */
const COUNTED = 1_000;

/** The servers for whose devices messages wait. One key is read for each. */
export async function serversWithMessages(storage: Storage): Promise<string[]> {
  return firstParts(storage, "toDeviceOutbox");
}

/** The servers for which events or EDUs wait. One key is read for each. */
export async function serversWithRows(storage: Storage): Promise<string[]> {
  return firstParts(storage, "outgoing");
}

/** How many messages wait for devices of a server, as far as they are counted. */
export async function countMessages(storage: Storage, server: string): Promise<number> {
  const range = IDBKeyRange.bound([server], [server, []]);
  return (await storage.getAllKeys("toDeviceOutbox", range, COUNTED)).length;
}

async function firstParts(storage: Storage, store: "outgoing" | "toDeviceOutbox"): Promise<string[]> {
  const servers: string[] = [];
  let range: IDBKeyRange | undefined;
  for (;;) {
    const [key] = await storage.getAllKeys(store, range, 1);
    if (key === undefined) return servers;
    servers.push(key[0]);
    // Arrays come after all strings and numbers: past what else there is of this server.
    range = IDBKeyRange.lowerBound([key[0], []]);
  }
}
