import type { LinkHeaders } from "../../link/api.ts";
import { isPublicHost } from "../../matrix/public-hosts.ts";
import { encodeUtf8 } from "../../matrix/utf8.ts";
import { EgressRefused, type EgressRequest, type EgressResponse } from "../egress/api.ts";
import { bodyOf, readBody } from "./bodies.ts";
import type { KeptLink } from "./keeper.ts";

/** Header by which a relay tells what it has to say itself from what the other server has answered. */
const VERDICT = "x-hearth-egress";

/** Whether a relay goes where this leads: it asks by https, and nobody of a private network. */
export function mayGoOverRelay({ url }: EgressRequest): boolean {
  const { protocol, hostname } = new URL(url);
  return protocol === "https:" && isPublicHost(hostname);
}

/** An `Egress` by way of a relay, which reaches servers that a browser does not. */
export async function askOver(link: KeptLink, request: EgressRequest): Promise<EgressResponse> {
  const signal = AbortSignal.timeout(request.timeout);
  try {
    return await answerOver(link, request, signal);
  } catch (error) {
    // Whoever asked tells an answer that is late from one that cannot be had.
    throw signal.aborted ? signal.reason : error;
  }
}

async function answerOver(
  link: KeptLink,
  { method, url, headers, body, maxBytes, purpose }: EgressRequest,
  signal: AbortSignal,
): Promise<EgressResponse> {
  const bytes = body === undefined ? undefined : encodeUtf8(body);
  const response = await link.request(
    () => ({
      method,
      target: url,
      headers: [
        ...Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value] as const),
        ["x-hearth-purpose", purpose],
        ...(bytes ? [["content-length", String(bytes.length)] as const] : []),
      ],
      ...(bytes && { body: bodyOf(bytes) }),
    }),
    signal,
  );
  const answer = await readBody(response.body, maxBytes);
  const answered = joined(response.headers);
  const verdict = answered[VERDICT];
  if (verdict === undefined) return { status: response.status, headers: answered, body: answer };
  if (verdict === "refused") throw new EgressRefused("The relay does not go there.");
  if (verdict === "timeout") throw new DOMException("The relay got no answer in time.", "TimeoutError");
  throw new Error(`The relay could not get an answer: ${verdict.slice(0, 40)}.`);
}

/** Values of one name are joined, as fetch does it. */
function joined(headers: LinkHeaders): Record<string, string> {
  const all = new Headers();
  for (const [name, value] of headers) all.append(name, value);
  return Object.fromEntries(all);
}
