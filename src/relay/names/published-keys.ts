import type { Ed25519 } from "../../matrix/ed25519.ts";
import { MatrixError } from "../../matrix/errors.ts";
import { readServerKeys, type ServerKeys } from "../../matrix/server-keys.ts";
import { parseBody, readBody } from "../body.ts";
import type { Egress } from "../egress/api.ts";

/** What servers publish of their keys, asked of themselves. */
export type PublishedKeys = {
  /** @returns undefined where they cannot be had, or what comes is not signed by the server */
  fetch(serverName: string): Promise<ServerKeys | undefined>;
};

/** Bytes of a key document; real ones have some hundreds. */
const MAX_DOCUMENT = 64 * 1024;
/** Milliseconds for all of it: discovery, connection, answer. */
const MAX_TIME = 15_000;

/** @param asker - in whose name the egress is asked, which has its limits for each */
export function publishedKeys(egress: Egress, asker: string, ed25519: Ed25519): PublishedKeys {
  return {
    fetch: async (serverName) => {
      const signal = AbortSignal.timeout(MAX_TIME);
      const request = { method: "GET", target: `matrix://${serverName}/_matrix/key/v2/server`, headers: [] };
      try {
        const answer = await egress(asker, "federation", request, signal);
        if (answer.status !== 200) {
          await answer.body?.cancel();
          return undefined;
        }
        const bytes = await readBody(answer.body ?? null, { bytes: MAX_DOCUMENT, time: MAX_TIME });
        return await readServerKeys(parseBody(bytes), serverName, ed25519);
      } catch (error) {
        // Whatever a stranger answers is no fault of this relay's.
        if (error instanceof MatrixError || signal.aborted) return undefined;
        throw error;
      }
    },
  };
}
