import { isJsonObject, type JsonObject } from "../../../matrix/json.ts";
import { type FederationClient, FederationError } from "../api.ts";

/**
 * What has become of a transaction. `taken`: it was answered with 200; `refusedPdus`: what the server had against some of
 * its events. `refused`: the server has read it and does not want it as it is. `putOff`: it wants none now, though it is
 * there; `afterMs`: it says itself for how long. `failed`: it is to be sent again. `notSent`: likewise, for what is here and
 * not there.
 */
export type Outcome =
  | { outcome: "taken"; refusedPdus: string[] }
  | { outcome: "refused" | "failed" | "notSent"; why: string }
  | { outcome: "putOff"; why: string; afterMs: number };

/** That there is something wrong with what was sent. All else (401, 403, 404, 429, 5xx) is about more than that. */
const REFUSALS = [400, 413];
/** An error of Matrix with these is an answer to whoever has sent it, and the server is there for everything else. */
const PUT_OFF = [403, 404, 429];

/** An answer names at most 50 events. */
const MAX_ANSWER = 256 * 1024;

/** One attempt to send a transaction. @see https://spec.matrix.org/v1.19/server-server-api/#put_matrixfederationv1sendtxnid */
export async function sendTo(
  client: FederationClient,
  destination: string,
  transactionId: string,
  content: JsonObject,
): Promise<Outcome> {
  const uri = `/_matrix/federation/v1/send/${encodeURIComponent(transactionId)}`;
  return attempt(client, destination, uri, content);
}

/**
 * The same to one of the server's relays, which keeps it until the server is there. Dendrite's relay API: it asks for a
 * user of the server, whoever that is.
 */
export async function leaveAt(
  client: FederationClient,
  relay: string,
  server: string,
  transactionId: string,
  content: JsonObject,
): Promise<Outcome> {
  const user = encodeURIComponent(`@user:${server}`);
  const uri = `/_matrix/federation/v1/send_relay/${encodeURIComponent(transactionId)}/${user}`;
  return attempt(client, new URL(relay).host, uri, content);
}

async function attempt(
  client: FederationClient,
  destination: string,
  uri: string,
  content: JsonObject,
): Promise<Outcome> {
  try {
    const { json } = await client.request({
      ...{ method: "PUT", destination, uri, content, maxBytes: MAX_ANSWER },
    });
    return { outcome: "taken", refusedPdus: refusedPdus(isJsonObject(json) ? json.pdus : undefined) };
  } catch (error) {
    if (!(error instanceof FederationError)) throw error;
    const { failure, status = 0, message: why } = error;
    if (error.isOurs) return { outcome: "notSent", why };
    if (failure !== "answered") return { outcome: "failed", why };
    if (REFUSALS.includes(status)) return { outcome: "refused", why };
    if (error.error === undefined || !PUT_OFF.includes(status)) return { outcome: "failed", why };
    const { retry_after_ms: afterMs } = error.error;
    return { outcome: "putOff", why, afterMs: typeof afterMs === "number" && afterMs > 0 ? afterMs : 0 };
  }
}

function refusedPdus(results: unknown): string[] {
  return Object.entries(isJsonObject(results as JsonObject) ? (results as JsonObject) : {}).flatMap(
    ([eventId, result]) =>
      isJsonObject(result) && typeof result.error === "string" ? [`${eventId}: ${result.error}`] : [],
  );
}
