import { LinkError, type LinkHeaders } from "../../link/api.ts";
import { bodyOf } from "../../link/bodies.ts";
import { isPublicHost } from "../../matrix/public-hosts.ts";
import { encodeUtf8 } from "../../matrix/utf8.ts";
import type { EgressAnswer, EgressFailure, EgressRequest, EgressTarget } from "../egress/api.ts";
import { failureOf, limited } from "../egress/body.ts";
import type { KeptLink } from "./keeper.ts";

/** Header by which a relay tells what it has to say itself from what the other server has answered. */
const VERDICT = "x-hearth-egress";
/** For a relay that does not say when it has time. */
const RETRY_AFTER_MS = 1000;

/** Whether a relay goes where this leads: it asks by https, and nobody of a private network. */
export function mayGoOverRelay({ url }: EgressTarget): boolean {
  const { protocol, hostname } = new URL(url);
  return protocol === "matrix:" || (protocol === "https:" && isPublicHost(hostname));
}

/** An `Egress` by way of a relay, which reaches servers that a browser does not. */
export async function askOver(
  link: KeptLink,
  { kind, url }: EgressTarget,
  { method, headers, body, timeout, maxBytes }: EgressRequest,
): Promise<EgressAnswer | EgressFailure> {
  const signal = AbortSignal.timeout(timeout);
  const bytes = body === undefined ? undefined : encodeUtf8(body);
  try {
    const response = await link.request(
      () => ({
        method,
        target: url,
        headers: [
          ...Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value] as const),
          ["x-hearth-purpose", kind],
          ...(bytes ? [["content-length", String(bytes.length)] as const] : []),
        ],
        ...(bytes && { body: bodyOf(bytes) }),
      }),
      signal,
    );
    const answered = joined(response.headers);
    const verdict = answered[VERDICT];
    if (verdict !== undefined) {
      await response.body?.cancel();
      return failureBy(verdict, answered["retry-after"]);
    }
    const answer = response.body ? limited(response.body, maxBytes, signal) : null;
    return { status: response.status, headers: answered, url, body: answer };
  } catch (error) {
    const failure = failureOf(error, signal);
    // The session has ended; what the other server would have said, nobody knows.
    return error instanceof LinkError ? { ...failure, isOurs: true } : failure;
  }
}

function failureBy(verdict: string, retryAfter: string | undefined): EgressFailure {
  if (verdict === "limited") {
    const seconds = Number(retryAfter);
    return {
      ...{ failure: "unreachable", why: "The relay has too much to do for this server.", isOurs: true },
      retryAfter: seconds > 0 ? seconds * 1000 : RETRY_AFTER_MS,
    };
  }
  if (verdict === "refused") return { failure: "refused", why: "The relay does not go there." };
  if (verdict === "timeout") return { failure: "timeout", why: "The relay got no answer in time." };
  return { failure: "unreachable", why: `The relay could not get an answer: ${verdict.slice(0, 40)}.` };
}

/** Values of one name are joined, as fetch does it. */
function joined(headers: LinkHeaders): Record<string, string> {
  const all = new Headers();
  for (const [name, value] of headers) all.append(name, value);
  return Object.fromEntries(all);
}
