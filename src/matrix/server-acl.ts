import type { JsonObject, JsonValue } from "./json.ts";
import { matchesGlob } from "./push-rules/glob.ts";

const port = /:[0-9]{1,5}$/;
/** Any four numbers, as the grammar of server names has it: what comes after 255 is no name of a host either. */
const ipv4Literal = /^[0-9]{1,3}(?:[.][0-9]{1,3}){3}$/;

/**
 * Whether a server may take part in a room that has this access control list; one that has none is open to all.
 * @param content - that of the room's `m.room.server_acl` event; unchecked. What has not the right form counts as
 *   missing, and a list that is missing as empty: without `allow` no server may take part
 * @param serverName - its port plays no part, nor does its case
 * @see https://spec.matrix.org/v1.19/client-server-api/#server-access-control-lists-acls-for-rooms
 */
export function isServerAllowed(content: JsonObject, serverName: string): boolean {
  const host = serverName.replace(port, "");
  if (content.allow_ip_literals === false && isIpLiteral(host)) return false;
  const isNamedIn = (list: JsonValue | undefined) =>
    Array.isArray(list) && list.some((glob) => typeof glob === "string" && matchesGlob(glob, host));
  return !isNamedIn(content.deny) && isNamedIn(content.allow);
}

function isIpLiteral(host: string): boolean {
  return host.startsWith("[") || ipv4Literal.test(host);
}
