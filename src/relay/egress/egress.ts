import type { LinkHandler, LinkRequest, LinkResponse } from "../../link/api.ts";
import type { ServerName } from "../../matrix/server-names.ts";
import type { Admission } from "./admission.ts";
import type { Egress, Purpose } from "./api.ts";
import type { AskHop, Hop } from "./client.ts";
import type { Discovery, Route } from "./discovery.ts";
import { NotConnected } from "./exchange.ts";
import { EgressFailure, type FailureKind, failureAnswer } from "./failure.ts";
import { requestHeaders } from "./headers.ts";
import { type PurposeRules, purposeRules } from "./purposes.ts";
import { askFollowing } from "./redirects.ts";
import { requestBody, streamOf } from "./request-body.ts";
import { parseTarget, type Target } from "./target.ts";
import { startWatch, type Watch } from "./watch.ts";

export type EgressParts = {
  ask: AskHop;
  discover: Discovery;
  admission: Admission;
  /** Who answers for a server that this relay (or its cluster) serves itself: then no network is asked. */
  local(serverName: ServerName): Promise<LinkHandler | undefined>;
  /** Whether app services may be asked over http: the operator's word. */
  plainHttp: boolean;
  /** Told how each request went: `answered`, or what the relay had to say instead. Never throws. */
  observe(purpose: Purpose, outcome: "answered" | FailureKind): void;
  /** Told what should never happen. */
  report(error: unknown): void;
};

/** The way out: see api.ts. */
export function openEgress(parts: EgressParts): Egress {
  return async (owner, purpose, request, signal) => {
    try {
      const answer = await carry(parts, owner, purpose, request, signal);
      parts.observe(purpose, "answered");
      return answer;
    } catch (error) {
      // What is left of the body is not wanted; where it is read already, nothing is left.
      request.body?.cancel().catch(() => undefined);
      if (!(error instanceof EgressFailure)) parts.report(error);
      const failure =
        error instanceof EgressFailure ? error : new EgressFailure("broken", "The relay failed.");
      parts.observe(purpose, failure.kind);
      return failureAnswer(failure);
    }
  };
}

async function carry(
  parts: EgressParts,
  owner: string,
  purpose: Purpose,
  request: LinkRequest,
  signal: AbortSignal,
): Promise<LinkResponse> {
  const target = parseTarget(purpose, request.method, request.target);
  if (target.scheme === "http" && !parts.plainHttp) {
    throw new EgressFailure("refused", "This relay asks app services over https only.");
  }
  const rules = purposeRules[purpose];
  const headers = requestHeaders(request.headers);
  const leave = parts.admission.enter(owner, keyOf(target));
  const watch = startWatch(rules, signal);
  const over = () => {
    watch.over();
    leave();
  };
  try {
    // Until something is sent, it is not the other server that is waited for.
    watch.pause();
    const body = await requestBody(request, rules.requestBytes, watch.signal).catch((error: unknown) => {
      throw (
        watch.failure() ?? (error instanceof EgressFailure ? error : new EgressFailure("broken", givenUp))
      );
    });
    const outgoing = { method: request.method, path: target.path, headers, body };
    if (target.scheme === "matrix") {
      const handler = await parts.local(target.serverName);
      if (handler !== undefined)
        return await askHere(handler, target.serverName, outgoing, signal).finally(over);
    }
    const { answer, location } = await askOutside(parts, target, outgoing, rules, watch);
    void answer.ended.then(over);
    const from = location === undefined ? [] : [["x-hearth-location", location] as const];
    return { status: answer.status, headers: [...answer.headers, ...from], body: answer.body };
  } catch (error) {
    over();
    throw error;
  }
}

const givenUp = "The request was not sent whole by the node.";

/** What requests to one target are counted by. */
const keyOf = (target: Target) =>
  target.scheme === "matrix" ? target.serverName : `${target.host}:${target.port}`;

type Outgoing = Pick<Hop, "method" | "path" | "headers" | "body">;

/** A node of this relay (or its cluster): how long it may take and how much it may say is its session's to know. */
async function askHere(
  handler: LinkHandler,
  serverName: string,
  { method, path, headers, body }: Outgoing,
  signal: AbortSignal,
): Promise<LinkResponse> {
  try {
    const host = ["host", serverName] as const;
    return await handler({ method, target: path, headers: [host, ...headers], body: streamOf(body) }, signal);
  } catch {
    throw new EgressFailure("broken", "The other node went away before it had answered.");
  }
}

/** @throws {EgressFailure} of the last place that was tried */
async function askOutside(
  parts: EgressParts,
  target: Target,
  outgoing: Outgoing,
  rules: PurposeRules,
  watch: Watch,
) {
  const secure = target.scheme !== "http";
  let failure = new EgressFailure("unreachable", "The server is nowhere to be found.");
  for (const route of await routesTo(parts, target)) {
    try {
      watch.heard();
      return await askFollowing(parts.ask, { ...outgoing, ...route, secure }, rules, watch);
    } catch (error) {
      // Only what was certainly not sent is sent elsewhere.
      if (!(error instanceof NotConnected)) throw error;
      failure = error;
    }
  }
  throw failure;
}

async function routesTo(parts: EgressParts, target: Target): Promise<Route[]> {
  if (target.scheme === "matrix") return parts.discover(target.serverName);
  const { host, port } = target;
  const name = host.includes(":") ? `[${host}]` : host;
  const usual = target.scheme === "https" ? 443 : 80;
  return [{ host, port, authority: port === usual ? name : `${name}:${port}`, certificateFor: host }];
}
