import type { Egress } from "./api.ts";
import { failureOf, limited } from "./body.ts";
import { refusalOf, rulesOf } from "./rules.ts";

/**
 * An Egress by the browser's own `fetch`: it reaches servers that allow requests from web pages (CORS), and no others.
 * Nothing of the browser goes along: no cookies, no referrer, no cache.
 */
export const directFetch: Egress = {
  async fetch(target, { method, headers, body, timeout, maxBytes }) {
    const refusal = refusalOf(target);
    if (refusal !== undefined) return { failure: "refused", why: refusal };
    if (target.url.startsWith("matrix:")) {
      return {
        failure: "unreachable",
        why: "Other homeservers are reached through a relay, and none is connected.",
        isOurs: true,
      };
    }
    const signal = AbortSignal.timeout(timeout);
    let response: Response;
    try {
      response = await fetch(new URL(target.url), {
        method,
        headers,
        body: body ?? null,
        credentials: "omit",
        referrerPolicy: "no-referrer",
        cache: "no-store",
        redirect: rulesOf[target.kind].redirects ? "follow" : "error",
        signal,
      });
    } catch (error) {
      return failureOf(error, signal);
    }
    const url = response.url === "" ? target.url : response.url;
    const lastRefusal = refusalOf({ ...target, url });
    if (lastRefusal !== undefined) {
      await response.body?.cancel();
      return { failure: "refused", why: lastRefusal };
    }
    return {
      status: response.status,
      headers: Object.fromEntries(response.headers),
      url,
      body: response.body && limited(response.body, maxBytes, signal),
    };
  },
};
