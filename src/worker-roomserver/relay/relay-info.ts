import * as v from "valibot";
import { readBody } from "../../link/bodies.ts";
import type { RelayInfo } from "../../link/relay-api.ts";

const MAX_BYTES = 64 * 1024;
/** A host that takes the connection and says nothing is as good as one that is not there. Milliseconds. */
const PATIENCE_MS = 10_000;

const shape = v.object({
  name: v.string(),
  version: v.string(),
  home_suffix: v.optional(v.string()),
  link: v.object({
    websocket: v.string(),
    webtransport: v.optional(
      v.object({ url: v.string(), certificate_hashes: v.optional(v.array(v.string())) }),
    ),
    fetch: v.string(),
  }),
  wake_up_key: v.optional(v.string()),
  limits: v.object({
    transaction_bytes: v.number(),
    mailbox_bytes: v.number(),
    mailbox_entries: v.number(),
    retention: v.number(),
  }),
});

/**
 * What a relay says of itself, asked anew each time: its certificates change.
 * @throws Error with a sentence for the owner
 */
export async function readInfo(
  ask: (url: string, init: RequestInit) => Promise<Response>,
  api: string,
  signal: AbortSignal,
): Promise<RelayInfo> {
  const response = await ask(`${api}/info`, {
    cache: "no-store",
    credentials: "omit",
    signal: AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]),
  });
  const text = new TextDecoder().decode(await readBody(response.body ?? undefined, MAX_BYTES));
  const parsed = v.safeParse(shape, jsonOf(text));
  if (!response.ok || !parsed.success) throw new Error("There is no relay at this address.");
  return parsed.output as RelayInfo;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
