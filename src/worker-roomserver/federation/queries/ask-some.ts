import { isServerName } from "../../../matrix/identifiers.ts";
import { type FederationAnswer, FederationError, type FederationRequest } from "../api.ts";
import type { FederationContext } from "../context.ts";

/** Servers of a list that are asked: when these do not know, somebody who waits has waited long enough. */
const ASKED = 3;
/** For all of them together, in milliseconds. */
const TOTAL_MS = 10_000;
/** For one of them, so that another has its turn. */
const EACH_MS = 5_000;

type Context = Pick<FederationContext, "client" | "now" | "serverName">;

/**
 * Puts a question to servers one after the other, until one answers what can be read. Fails never.
 * @param read - undefined for an answer that is no good
 */
export async function askSome<T>(
  { client, now, serverName }: Context,
  servers: readonly string[],
  question: Omit<FederationRequest, "destination" | "timeoutMs">,
  read: (json: FederationAnswer["json"], server: string) => T | undefined,
): Promise<T | undefined> {
  const end = now() + TOTAL_MS;
  const others = [...new Set(servers)].filter((server) => isServerName(server) && server !== serverName);
  for (const destination of others.slice(0, ASKED)) {
    const left = end - now();
    if (left <= 0) break;
    try {
      const { json } = await client.request({ ...question, destination, timeoutMs: Math.min(EACH_MS, left) });
      const answer = read(json, destination);
      if (answer !== undefined) return answer;
    } catch (error) {
      if (!(error instanceof FederationError)) throw error;
    }
  }
  return undefined;
}
