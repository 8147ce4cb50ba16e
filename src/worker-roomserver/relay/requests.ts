import { errorAnswer } from "../../link/answers.ts";
import type { LinkHandler } from "../../link/api.ts";
import { forbidden, invalidParam, unrecognized } from "../../matrix/errors.ts";

export type RequestHandlers = {
  federation: LinkHandler;
  clientApi: LinkHandler;
  /** Whether the owner lets clients in through this relay. */
  isOpen: () => boolean;
};

/**
 * Answers what comes through a relay. Whose a path is, is decided on the path that whoever gets it will see: without
 * `..` and its other spellings.
 */
export function answering({ federation, clientApi, isOpen }: RequestHandlers): LinkHandler {
  const answer: LinkHandler = async (request, signal) => {
    const target = normalTarget(request.target);
    if (target === undefined) throw invalidParam("The path of this request is malformed.");
    if (/^\/_matrix\/(federation|key)\//.test(target)) return federation(request, signal);
    if (!isForClients(target)) throw unrecognized("There is no such endpoint on this homeserver.");
    if (!isOpen()) throw forbidden("The owner of this homeserver does not let clients in this way.");
    return clientApi({ ...request, target }, signal);
  };
  return async (request, signal) => {
    try {
      return await answer(request, signal);
    } catch (error) {
      return errorAnswer(error);
    }
  };
}

/** The same is asked again at the other end: see src/sw/relayed.ts. */
const isForClients = (path: string) =>
  /^\/(_matrix\/(client|media)|_hearth\/oauth)\//.test(path) ||
  /^\/(\.well-known\/matrix\/client|_synapse\/admin\/v1\/register)(\?|$)/.test(path);

/** @returns path and query as a URL has them; undefined for what is no path, or leads to another host */
function normalTarget(target: string): string | undefined {
  if (!target.startsWith("/")) return undefined;
  const base = "https://node.invalid";
  try {
    const { origin, pathname, search } = new URL(target, base);
    return origin === base ? pathname + search : undefined;
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}
