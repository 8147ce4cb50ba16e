import type { Requester, RequestId } from "../worker-roomserver/node/requester.ts";

/** What a client may send along to name a request: a UUID of its own, new for each. */
export const requestIdHeader = "X-Hearth-Request";

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * The name under which a request is carried out once. When a service worker is stopped with a request under way,
 * Chromium gives the same request to the next one, which cannot tell it from a new one: clients that name their
 * requests have each carried out once all the same. A client's name counts only for itself, and only for the same
 * endpoint; without one, a request is new.
 */
export function requestIdOf(request: Request, path: string, requester: Requester | undefined): RequestId {
  const named = request.headers.get(requestIdHeader);
  if (named === null || !uuid.test(named)) return crypto.randomUUID();
  const who = requester === undefined ? "" : `${requester.userId} ${requester.deviceId ?? ""}`;
  return `${named.toLowerCase()} ${request.method} ${path} ${who}`;
}
