import { equalBytes } from "../../matrix/ed25519-rules.ts";
import { keyFromServerName } from "../../matrix/server-names.ts";
import type { PublishedKeys } from "./published-keys.ts";

/** Finds out whose a domain is. */
export type Domains = {
  /** `unknown`: nobody could be asked. */
  belongsTo(serverName: string, publicKey: Uint8Array): Promise<"yes" | "no" | "unknown">;
};

/**
 * By the domain's own word, in either of two forms: its `.well-known` delegates to a host whose name is the key (which
 * needs no server to be up: the node that asks may be the first to answer for the domain), or the keys that the server
 * of that name publishes are this one.
 * @param delegation - the `m.server` of the name's `.well-known`, undefined where it has none or cannot be asked
 */
export function openDomains(
  delegation: (serverName: string) => Promise<string | undefined>,
  published: PublishedKeys,
): Domains {
  return {
    belongsTo: async (serverName, publicKey) => {
      // A name with a port is where it says: it has no delegation.
      const host = serverName.includes(":") ? undefined : await delegation(serverName);
      const key = host === undefined ? undefined : keyFromServerName(host.toLowerCase());
      if (key !== undefined) return equalBytes(key, publicKey) ? "yes" : "no";
      const found = await published.fetch(serverName);
      if (found === undefined) return "unknown";
      return [...found.keys.values()].some((one) => equalBytes(one, publicKey)) ? "yes" : "no";
    },
  };
}
