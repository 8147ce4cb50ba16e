import type { JsonObject } from "../../../../matrix/json.ts";
import { isServerAllowed as isAllowedBy } from "../../../../matrix/server-acl.ts";
import { Lru } from "../../../storage/lru.ts";
import type { GraphParts } from "./parts.ts";

/** Servers of which is kept what a list says, as long as the list itself is in memory. */
const KEPT_VERDICTS = 1_000;

/** A list may be as long as an event, and it is the same for all that a server sends. */
const verdicts = new WeakMap<JsonObject, Lru<string, boolean>>();

/** Whether the room's access control list lets a server take part. */
export async function isServerAllowed(
  { heads }: GraphParts,
  roomId: string,
  serverName: string,
): Promise<boolean> {
  const head = await heads.get(roomId);
  const content = (await head.state("m.room.server_acl", ""))?.pdu.content;
  if (content === undefined) return true;
  const kept = verdicts.get(content) ?? new Lru(KEPT_VERDICTS);
  verdicts.set(content, kept);
  const verdict = kept.get(serverName) ?? isAllowedBy(content, serverName);
  kept.set(serverName, verdict);
  return verdict;
}
