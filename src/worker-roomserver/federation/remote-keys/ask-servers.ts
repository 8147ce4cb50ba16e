import { domainOf } from "../../../matrix/domain.ts";
import type { JsonObject } from "../../../matrix/json.ts";
import type { Failures } from "../../keys/api.ts";
import { FederationError } from "../api.ts";

/** Servers that are asked at a time on behalf of one client. */
const AT_ONCE = 100;

/** Puts what is wanted of users into groups of one server each. */
export function byServer<T>(wanted: Iterable<[userId: string, T]>): Map<string, Map<string, T>> {
  const servers = new Map<string, Map<string, T>>();
  for (const [userId, of] of wanted) {
    const server = domainOf(userId) ?? "";
    servers.set(server, (servers.get(server) ?? new Map<string, T>()).set(userId, of));
  }
  return servers;
}

/**
 * Asks servers, many at a time, until the time is up: none of them holds up another's answer.
 * @param ask - fails with a FederationError; gets the milliseconds that are left
 * @returns what went wrong, with those that had no turn
 */
export async function askServers(
  servers: Iterable<string>,
  { timeoutMs, now }: { timeoutMs: number; now: () => number },
  ask: (server: string, leftMs: number) => Promise<void>,
): Promise<Failures> {
  const end = now() + timeoutMs;
  const failures = new Map<string, JsonObject>();
  const waiting = servers[Symbol.iterator]();
  const line = async () => {
    for (let next = waiting.next(); next.done !== true; next = waiting.next()) {
      const left = end - now();
      if (left <= 0) failures.set(next.value, failureOf("There was no time left to ask it."));
      else await ask(next.value, left).catch((error: unknown) => failures.set(next.value, asFailure(error)));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, line));
  return Object.fromEntries(failures);
}

/** What of a failure clients are told. */
function asFailure(error: unknown): JsonObject {
  if (!(error instanceof FederationError)) throw error;
  const { failure, status, error: said } = error;
  if (failure !== "answered") return failureOf("This server could not be reached.");
  return {
    ...failureOf("This server did not answer as it should."),
    ...(status && { status }),
    ...(said && { errcode: said.errcode }),
  };
}

const failureOf = (error: string): JsonObject => ({ errcode: "M_UNKNOWN", error });
