import { isPublicHost } from "../../matrix/public-hosts.ts";
import { EgressRefused, type EgressRequest, type EgressResponse } from "./api.ts";

/**
 * An Egress by the browser's own `fetch`: it reaches servers that allow requests from web pages (CORS), and no others.
 * Nothing of the browser goes along: no cookies, no referrer, no cache.
 */
export async function directFetch(request: EgressRequest): Promise<EgressResponse> {
  const url = new URL(request.url);
  if (request.hosts !== "any") {
    if (url.protocol !== "https:") throw new EgressRefused("Only https URLs are asked.");
    if (!isPublicHost(url.hostname)) throw new EgressRefused("This host is not on the public internet.");
  }
  const response = await fetch(url, {
    method: request.method,
    headers: request.headers,
    body: request.body ?? null,
    credentials: "omit",
    referrerPolicy: "no-referrer",
    cache: "no-store",
    // It could lead to where one would not have been sent to begin with.
    redirect: "error",
    signal: AbortSignal.timeout(request.timeout),
  });
  return {
    status: response.status,
    headers: Object.fromEntries(response.headers),
    body: await bytesOf(response, request.maxBytes),
  };
}

/** Read piece by piece, so that one that does not end fills no memory. */
async function bytesOf(response: Response, maxBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const reader = response.body?.getReader();
  if (reader === undefined) return new Uint8Array();
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return new Uint8Array(await new Blob(chunks).arrayBuffer());
    length += value.length;
    if (length > maxBytes) {
      await reader.cancel();
      throw new Error(`The answer has more than ${maxBytes} bytes.`);
    }
    chunks.push(value);
  }
}
