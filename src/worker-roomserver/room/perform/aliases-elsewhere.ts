import { namedAliases } from "../../../matrix/canonical-alias.ts";
import { invalidParam, MatrixError } from "../../../matrix/errors.ts";
import { parseRoomAlias, serverNameOf } from "../../../matrix/identifiers.ts";
import type { JsonObject } from "../../../matrix/json.ts";
import type { RoomParts } from "../parts.ts";

/** New aliases of other servers in one event: each is a question to somebody. */
const MOST_ASKED = 10;

/**
 * Where the aliases of other servers lead that an `m.room.canonical_alias` names anew. To be asked before the room is
 * locked: whoever does not answer must not hold it up.
 * @returns room ids by alias; those that lead nowhere are not among them
 * @throws MatrixError M_INVALID_PARAM (400) for what is no alias, and too many; M_UNKNOWN (502, 504) where a server is
 *   not reached
 */
export async function aliasesElsewhere(
  { heads, questions, author }: Pick<RoomParts, "heads" | "questions" | "author">,
  roomId: string,
  userId: string,
  content: JsonObject,
): Promise<ReadonlyMap<string, string>> {
  const head = await heads.get(roomId);
  const member = await head.state("m.room.member", userId);
  // Who is not in the room is refused later, and must not make this server ask others.
  if (member?.pdu.content.membership !== "join") return new Map();
  const known = namedAliases((await head.state("m.room.canonical_alias", ""))?.pdu.content ?? {});
  const asked = [...new Set(namedAliases(content))].filter(
    (alias) => !known.includes(alias) && serverNameOf(parseRoomAlias(alias)) !== author.serverName,
  );
  if (asked.length > MOST_ASKED)
    throw invalidParam(`At most ${MOST_ASKED} aliases of other servers at a time.`);
  const found = await Promise.all(asked.map((alias) => leadsTo(questions, alias)));
  return new Map(asked.flatMap((alias, i) => (found[i] === undefined ? [] : [[alias, found[i]] as const])));
}

async function leadsTo({ resolveAlias }: RoomParts["questions"], alias: string): Promise<string | undefined> {
  try {
    return (await resolveAlias(alias)).room_id;
  } catch (error) {
    if (error instanceof MatrixError && error.status === 404) return undefined;
    throw error;
  }
}
