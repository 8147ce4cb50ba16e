import { RELAY_API } from "../../link/relay-api.ts";
import type { AskHomeRelay } from "./identity.ts";

/** Whoever has just served the page answers at once; a first start must not wait for one who does not. */
const PATIENCE_MS = 3_000;
const MAX_ANSWER_BYTES = 64 * 1024;

/**
 * Asks the host of the page whether it is a relay. A plain host of files says 404, or gives a page, to what it does not
 * know.
 * @param origin - of the page
 */
export function homeRelayOf(
  origin: string,
  ask: (url: string, init: RequestInit) => Promise<Response>,
): AskHomeRelay {
  return async () => {
    try {
      const response = await ask(`${origin}${RELAY_API}/info`, {
        cache: "no-store",
        credentials: "omit",
        redirect: "error",
        signal: AbortSignal.timeout(PATIENCE_MS),
      });
      const type = response.headers.get("Content-Type") ?? "";
      if (!response.ok || !type.startsWith("application/json")) return undefined;
      const text = await response.text();
      if (text.length > MAX_ANSWER_BYTES) return undefined;
      const info: unknown = JSON.parse(text);
      if (typeof info !== "object" || info === null) return undefined;
      const { name, home_suffix: suffix } = info as { name?: unknown; home_suffix?: unknown };
      if (typeof name !== "string") return undefined;
      return { url: origin, name, ...(typeof suffix === "string" && { suffix }) };
    } catch {
      return undefined; // no relay, or none that can be relied on: the node has no home then
    }
  };
}
