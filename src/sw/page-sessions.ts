import { MatrixError } from "../matrix/errors.ts";
import type { Requester } from "../worker-roomserver/node/requester.ts";
import type { Assertion, Users } from "../worker-roomserver/users/api.ts";
import type { Caller } from "./limits.ts";
import type { TokenCache } from "./token-cache.ts";

const mostPages = 500;

/**
 * Whose pages are open. An `<img>` cannot give an access token: what a page loads without one is answered as a request
 * of the session whose token the page itself has last given. The browser says which page asks, pages cannot say it for
 * one another, and other origins' pages are never asked for here.
 *
 * The binding is no login: each use of it looks the token up again, so it ends with the token. As a service worker may
 * be stopped at any moment, the homeserver keeps the binding as well, with the token's hash.
 */
export class PageSessions {
  readonly #users: Pick<Users, "bindPage" | "authenticatePage">;
  readonly #tokens: TokenCache;
  /** By page, the least recently bound first. */
  readonly #shown = new Map<string, string>();

  constructor(users: Pick<Users, "bindPage" | "authenticatePage">, tokens: TokenCache) {
    this.#users = users;
    this.#tokens = tokens;
  }

  /** Whose token this is, which the caller has given. @throws {MatrixError} M_UNKNOWN_TOKEN (401) */
  async requesterOf(token: string, caller: Caller, asserted?: Assertion): Promise<Requester> {
    const requester = await this.#tokens.requester(token, { asserted });
    // An application service in a page acts for many.
    if (requester.appService !== undefined) return requester;
    if (caller.source === "own" && caller.page !== undefined) this.#bind(caller.page, token);
    return requester;
  }

  /**
   * Whose page it is that asks without a token.
   * @returns undefined where that is nobody's. @throws {MatrixError} M_UNKNOWN_TOKEN (401) when the session has ended
   */
  async requester(caller: Caller): Promise<Requester | undefined> {
    if (caller.source !== "own" || caller.page === undefined) return undefined;
    const token = this.#shown.get(caller.page);
    if (token !== undefined) return this.#tokens.requester(token);
    try {
      return (await this.#users.authenticatePage(caller.page)).requester;
    } catch (error) {
      if (error instanceof MatrixError && error.errcode === "M_MISSING_TOKEN") return undefined;
      throw error;
    }
  }

  #bind(page: string, token: string): void {
    if (this.#shown.get(page) === token) return;
    this.#shown.delete(page);
    this.#shown.set(page, token);
    const [oldest] = this.#shown.keys();
    if (this.#shown.size > mostPages && oldest !== undefined) this.#shown.delete(oldest);
    // Not waited for: should it be lost, the next request with a token binds the page again.
    this.#users.bindPage(page, token).catch((error: unknown) => {
      if (this.#shown.get(page) === token) this.#shown.delete(page);
      console.warn("hearth: which session an open page belongs to could not be stored", error);
    });
  }
}
