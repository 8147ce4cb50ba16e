import type { AskHop, Hop } from "./client.ts";
import type { Answered } from "./exchange.ts";
import { EgressFailure } from "./failure.ts";
import type { Watch } from "./watch.ts";

const redirected = new Set([301, 302, 303, 307, 308]);

/**
 * Asks, and asks again where the answer says so, at most `redirects` times: then a redirect is an answer like others.
 * Each place is checked as the first one was. Only requests without a body are sent on.
 * @returns the answer, and where it came from if that was not the first place
 * @throws {EgressFailure}
 */
export async function askFollowing(
  ask: AskHop,
  hop: Hop,
  limits: { answerBytes: number; redirects: number },
  watch: Watch,
): Promise<{ answer: Answered; location: string | undefined }> {
  let [current, location]: [Hop, string | undefined] = [hop, undefined];
  for (let left = limits.redirects; ; left -= 1) {
    const answer = await ask(current, limits.answerBytes, watch);
    const to = answer.headers.find(([name]) => name === "location")?.[1];
    if (left === 0 || to === undefined || !redirected.has(answer.status)) return { answer, location };
    await answer.body.cancel();
    const url = nextUrl(current, to);
    current = hopTo(url, current);
    location = url.href;
  }
}

function nextUrl(from: Hop, to: string): URL {
  // A name without a port stands for the one that was connected to.
  const authority = /:\d+$/.test(from.authority) ? from.authority : `${from.authority}:${from.port}`;
  const url = URL.parse(to, `https://${authority}${from.path}`);
  if (url?.protocol !== "https:" || url.username !== "" || url.password !== "") {
    throw new EgressFailure("refused", "The other server has sent the request on to what is no https URL.");
  }
  return url;
}

function hopTo(url: URL, from: Hop): Hop {
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const port = Number(url.port) || 443;
  const same = host === from.host && port === from.port;
  return {
    ...from,
    secure: true,
    host,
    port,
    certificateFor: host,
    authority: url.host,
    path: `${url.pathname}${url.search}`,
    // What proves who asks is for the first server alone.
    headers: from.headers.filter(([name]) => same || name !== "authorization"),
  };
}
