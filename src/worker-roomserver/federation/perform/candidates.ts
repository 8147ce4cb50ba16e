import { isServerName, type ServerName } from "../../../matrix/server-names.ts";

/** More are not asked: somebody waits, and who is in the room is mostly among the first. */
const ASKED = 10;

/** Whom to ask, in the order given: each once, and without this server, which does not know. */
export function candidatesOf(servers: readonly string[], ownName: string): ServerName[] {
  const others = new Set(servers.filter(isServerName).filter((server) => server !== ownName));
  return [...others].slice(0, ASKED);
}
