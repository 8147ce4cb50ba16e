import { parseQuery } from "../door/query.ts";
import { forbidden, MatrixError, unrecognized } from "../matrix/errors.ts";
import type { Node } from "../worker-roomserver/node/api.ts";
import type { Requester } from "../worker-roomserver/node/requester.ts";
import type { Assertion } from "../worker-roomserver/users/api.ts";
import { accessTokenOf, missingToken } from "./access-token.ts";
import { answer, errorAnswer, preflightAnswer } from "./answer.ts";
import { checkedParts } from "./checked-parts.ts";
import type { AnyContext, Description, Endpoint, LimitClass } from "./endpoint.ts";
import type { Caller, Limiter } from "./limits.ts";
import { PageSessions } from "./page-sessions.ts";
import { requestIdOf } from "./request-id.ts";
import { createRouter } from "./router.ts";
import { TokenCache } from "./token-cache.ts";

export type ClientApiOptions = {
  node: Node;
  endpoints: readonly Endpoint[];
  limiter: Limiter;
  /** Path of the folder that the page is served from, with a slash at both ends. */
  scopePath: string;
  /** Told of each request of an endpoint, and how many milliseconds it took. */
  onAnswered?: (limit: LimitClass, status: number, ms: number) => void;
};

/** Answers one request of a client. Never rejects: whatever goes wrong is an answer too. */
export type ClientApi = (request: Request, caller: Caller) => Promise<Response>;

/** The one way in: what an endpoint's description promises has been checked when its handler is called. */
export function createClientApi({
  node,
  endpoints,
  limiter,
  scopePath,
  onAnswered,
}: ClientApiOptions): ClientApi {
  const route = createRouter(endpoints);
  const tokens = new TokenCache(node.users, Date.now);
  const pages = new PageSessions(node.users, tokens);

  async function handle(request: Request, caller: Caller): Promise<Response> {
    const { pathname } = new URL(request.url);
    const path = pathInScope(pathname, scopePath);
    if (path === undefined) throw unrecognized("There is no such endpoint on this homeserver.");
    const { target: endpoint, params } = route(request.method, path);
    const { refusal, refusalInTab } = endpoint.description;
    const inTab = request.destination === "document" ? refusalInTab : undefined;
    const begun = performance.now();
    const response = await serve(request, caller, { path, endpoint, params }).catch((error: unknown) =>
      errorAnswer(error, inTab ?? refusal),
    );
    onAnswered?.(endpoint.description.limit, response.status, performance.now() - begun);
    return response;
  }

  async function serve(
    request: Request,
    caller: Caller,
    { path, endpoint, params }: { path: string; endpoint: Endpoint; params: Record<string, string> },
  ): Promise<Response> {
    const { description } = endpoint;
    const { origin, search } = new URL(request.url);
    const query = parseQuery(search);
    const find = () => authenticate(description, request.headers, query, caller);
    const { requester, withoutRequester } =
      description.auth === "appServiceOrNone" ? await orNone(find) : { requester: await find() };
    if (requester?.appService?.isLimited !== false) {
      limiter.take(description.limit, caller, requester?.userId);
    }
    const context: AnyContext = {
      node,
      request: requestIdOf(request, path, requester),
      requester,
      withoutRequester,
      ...(await checkedParts(description, { params, query, body: request })),
      target: path + search,
      baseUrl: caller.source === "relay" ? caller.baseUrl : origin + scopePath.replace(/\/$/, ""),
      headers: request.headers,
      destination: request.destination,
      signal: request.signal,
    };
    try {
      return answer(await endpoint.handle(context));
    } catch (error) {
      // The homeserver knows of the end of a session of which nothing was said here.
      if (isEndOfSession(error)) tokens.drop();
      throw error;
    } finally {
      // Also after an error, which may have come when the tokens were already gone.
      if (description.revokes) tokens.drop();
    }
  }

  async function authenticate(
    { auth: kind, pageSession, evenLocked }: Description,
    headers: Headers,
    query: Record<string, string | string[]>,
    caller: Caller,
  ): Promise<Requester | undefined> {
    if (kind === "none") return undefined;
    const token = accessTokenOf(headers, query);
    const asserted = assertionOf(query);
    const requester =
      token === undefined
        ? pageSession && (await pages.requester(caller))
        : evenLocked
          ? await tokens.requester(token, { evenLocked, asserted })
          : await pages.requesterOf(token, caller, asserted);
    if (requester === undefined) {
      if (kind === "optional") return undefined;
      throw missingToken("This needs an access token.");
    }
    if (kind === "user" && requester.kind === "guest") {
      throw new MatrixError("M_GUEST_ACCESS_FORBIDDEN", 403, "Guests may not do this: an account is needed.");
    }
    if (kind === "admin" && !requester.admin) {
      throw forbidden("This is for administrators of this server.");
    }
    if (kind.startsWith("appService") && requester.appService === undefined) {
      throw forbidden("This is for application services, with their as_token.");
    }
    return requester;
  }

  return async (request, caller) => {
    if (request.method === "OPTIONS") return preflightAnswer();
    const response = await handle(request, caller).catch((error: unknown) => errorAnswer(error));
    return request.method === "HEAD" ? new Response(null, response) : response;
  };
}

const isEndOfSession = (error: unknown) =>
  error instanceof MatrixError && (error.errcode === "M_UNKNOWN_TOKEN" || error.errcode === "M_USER_LOCKED");

/** For who may do without a requester: what stood in the way of one is told to the endpoint. */
async function orNone(
  find: () => Promise<Requester | undefined>,
): Promise<{ requester?: Requester | undefined; withoutRequester?: MatrixError }> {
  try {
    return { requester: await find() };
  } catch (error) {
    if (!(error instanceof MatrixError)) throw error;
    return { withoutRequester: error };
  }
}

/**
 * Whom an application service wants to act as.
 * @see https://spec.matrix.org/v1.19/application-service-api/#identity-assertion
 */
function assertionOf(query: Record<string, string | string[]>): Assertion {
  const userId = query.user_id;
  const deviceId = query.device_id ?? query["org.matrix.msc3202.device_id"];
  return {
    ...(typeof userId === "string" && { userId }),
    ...(typeof deviceId === "string" && { deviceId }),
  };
}

const clientApiPath = /^\/(_matrix|_hearth|_synapse|\.well-known\/matrix)(\/|$)/;

/**
 * The path as endpoints describe it, without the prefix that the page is served under. Clients that know only
 * the origin leave the prefix out, which is as good.
 * @returns undefined for what is not the client API's
 */
export function pathInScope(pathname: string, scopePath: string): string | undefined {
  const prefixed = pathname.startsWith(scopePath) ? pathname.slice(scopePath.length - 1) : pathname;
  return [prefixed, pathname].find((path) => clientApiPath.test(path));
}
