import { isJsonObject } from "../../matrix/json.ts";
import { isServerName, type ServerName } from "../../matrix/server-names.ts";
import { openCache } from "./cache.ts";
import type { AskHop } from "./client.ts";
import { EgressFailure } from "./failure.ts";
import { askFollowing } from "./redirects.ts";
import { startWatch } from "./watch.ts";

/** The server that a host's `/.well-known/matrix/server` delegates to; undefined where it does not. */
export type WellKnown = (hostname: string) => Promise<ServerName | undefined>;

const limits = { answerBytes: 50_000, redirects: 5, total: 20_000, silence: 10_000 };
const minutes = 60_000;
const hours = 60 * minutes;
/** The spec recommends 24 and 48 hours. What says that it must not be kept is kept for a moment all the same. */
const kept = { least: 5 * minutes, usual: 24 * hours, most: 48 * hours };
/** Of failures: the first time, doubled each time, and at most the spec's hour. */
const failure = { first: 2 * minutes, most: 1 * hours };

type Known = { server: ServerName | undefined; failures: number; goodUntil: number };

/**
 * With the caching that the spec asks for. A delegation that was good stays for its 48 hours while the host cannot be
 * reached: its server would otherwise be looked for where it is not.
 * @see https://spec.matrix.org/v1.19/server-server-api/#resolving-server-names
 */
export function openWellKnown(ask: AskHop, now: () => number): WellKnown {
  const cache = openCache<Known>(10_000, now);

  async function load(hostname: string, before: Known | undefined): Promise<{ value: Known; keep: number }> {
    const answer = await fetchWellKnown(ask, hostname, now()).catch((error: unknown) => {
      if (error instanceof EgressFailure) return undefined;
      throw error;
    });
    if (answer !== undefined) {
      const value = { server: answer.server, failures: 0, goodUntil: now() + kept.most };
      return { value, keep: answer.keep };
    }
    const failures = (before?.failures ?? 0) + 1;
    const stillGood = before !== undefined && now() < before.goodUntil;
    const value = {
      server: stillGood ? before.server : undefined,
      failures,
      goodUntil: before?.goodUntil ?? 0,
    };
    return { value, keep: Math.min(failure.most, failure.first * 2 ** (failures - 1)) };
  }
  return async (hostname) => (await cache.get(hostname, (before) => load(hostname, before))).server;
}

/** @throws {EgressFailure} where there is no answer, or none that delegates */
async function fetchWellKnown(ask: AskHop, hostname: string, now: number) {
  const watch = startWatch(limits, new AbortController().signal);
  try {
    const path = "/.well-known/matrix/server";
    const headers = [["accept", "application/json"]] as const;
    const place = { secure: true, host: hostname, port: 443, certificateFor: hostname, authority: hostname };
    const hop = { ...place, method: "GET", path, headers, body: { kind: "none" } as const };
    const { answer } = await askFollowing(ask, hop, limits, watch);
    const header = (name: string) => answer.headers.find(([other]) => other === name)?.[1];
    if (answer.status !== 200) {
      await answer.body.cancel();
      throw new EgressFailure("broken", "There is no delegation.");
    }
    const server = delegation(await new Response(answer.body).text());
    if (server === undefined) throw new EgressFailure("broken", "The delegation makes no sense.");
    return { server, keep: freshness(header("cache-control"), header("expires"), now) };
  } finally {
    watch.over();
  }
}

function delegation(text: string): ServerName | undefined {
  try {
    const json: unknown = JSON.parse(text);
    const server = isJsonObject(json) ? json["m.server"] : undefined;
    return isServerName(server) ? server : undefined;
  } catch {
    return undefined;
  }
}

/** How long an answer may be kept, in milliseconds (RFC 9111 section 5.2.2, 5.3). */
export function freshness(
  cacheControl: string | undefined,
  expires: string | undefined,
  now: number,
): number {
  const bounded = (span: number) => Math.min(kept.most, Math.max(kept.least, span));
  const control = cacheControl?.toLowerCase() ?? "";
  if (/\bno-(store|cache)\b/.test(control)) return kept.least;
  const maxAge = /\bmax-age="?(\d{1,12})/.exec(control)?.[1];
  if (maxAge !== undefined) return bounded(Number(maxAge) * 1000);
  if (expires === undefined) return kept.usual;
  const until = Date.parse(expires);
  // What is no date is a time in the past.
  return bounded(Number.isNaN(until) ? 0 : until - now);
}
