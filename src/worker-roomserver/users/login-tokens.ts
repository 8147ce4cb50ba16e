import { forbidden } from "../../matrix/errors.ts";
import type { JsonObject } from "../../matrix/json.ts";
import type { Answers } from "../node/answers.ts";
import type { Requester, RequestId } from "../node/requester.ts";
import type { Storage, Write } from "../storage/api.ts";
import type { Accounts } from "./accounts.ts";
import type { LoginToken, UiaChallenge } from "./api.ts";
import { hashToken, newToken } from "./tokens.ts";

/** Long enough to hold another device's camera in front of a screen. */
export const loginTokenLifetimeMs = 2 * 60_000;

/**
 * Tokens with which a second device logs in: one login each.
 * @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv1loginget_token
 */
export class LoginTokens {
  readonly #storage: Storage;
  readonly #answers: Answers;
  readonly #accounts: Accounts;
  readonly #now: () => number;

  constructor(options: { storage: Storage; answers: Answers; accounts: Accounts; now: () => number }) {
    this.#storage = options.storage;
    this.#answers = options.answers;
    this.#accounts = options.accounts;
    this.#now = options.now;
  }

  create(
    request: RequestId,
    requester: Requester,
    auth: JsonObject | undefined,
  ): Promise<LoginToken | UiaChallenge> {
    return this.#answers.once<LoginToken | UiaChallenge>(request, async (record) => {
      const passed = await this.#accounts.confirm(requester, "get_login_token", auth);
      if ("uia" in passed) return passed;
      const { token, hash } = await newToken("login");
      const expiresAt = this.#now() + loginTokenLifetimeMs;
      return this.#storage.commit((write) => {
        // It belongs to no device yet.
        const row = {
          userId: requester.userId,
          deviceId: "",
          kind: "login",
          expiresAt,
          replaces: "",
        } as const;
        write.put("tokens", row, hash);
        passed.end(write);
        return record<LoginToken>(write, { login_token: token, expires_in_ms: loginTokenLifetimeMs });
      });
    });
  }

  /**
   * Whose token this is. To be called again, and its result used, under the account's lock: of two logins with one
   * token the second finds nothing.
   * @returns `use` ends the token, in the unit of the login
   * @throws MatrixError M_FORBIDDEN 403
   */
  async redeem(token: string): Promise<{ userId: string; use: (write: Write) => void }> {
    const hash = await hashToken(token);
    const row = await this.#storage.get("tokens", hash);
    if (row?.kind !== "login" || this.#now() >= (row.expiresAt ?? 0)) {
      throw forbidden("The login token is unknown, used already, or has expired.");
    }
    return { userId: row.userId, use: (write) => write.delete("tokens", hash) };
  }
}
