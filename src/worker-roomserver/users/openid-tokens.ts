import { forbidden, MatrixError } from "../../matrix/errors.ts";
import type { ServerName } from "../../matrix/identifiers.ts";
import type { Answers } from "../node/answers.ts";
import type { KeyedLock } from "../node/keyed-lock.ts";
import type { Requester, RequestId } from "../node/requester.ts";
import type { Storage } from "../storage/api.ts";
import type { OpenIdToken } from "./api.ts";
import { tokensOf } from "./device-rows.ts";
import { hashToken, newToken } from "./tokens.ts";

/** What Synapse gives them: widgets and integration managers reckon with that. */
export const openIdLifetimeMs = 60 * 60_000;
/** Of one user at a time; the oldest make room. A client asks for one now and then, a flood must not fill the disk. */
export const openIdTokensKept = 100;

/**
 * Tokens that prove to somebody else who a user is, and are good for nothing else.
 * @see https://spec.matrix.org/v1.19/client-server-api/#openid
 */
export class OpenIdTokens {
  readonly #storage: Storage;
  readonly #answers: Answers;
  readonly #locks: KeyedLock<string>;
  readonly #serverName: ServerName;
  readonly #now: () => number;

  constructor(options: {
    storage: Storage;
    answers: Answers;
    locks: KeyedLock<string>;
    serverName: ServerName;
    now: () => number;
  }) {
    this.#storage = options.storage;
    this.#answers = options.answers;
    this.#locks = options.locks;
    this.#serverName = options.serverName;
    this.#now = options.now;
  }

  create(request: RequestId, { userId: own }: Requester, userId: string): Promise<OpenIdToken> {
    return this.#answers.once<OpenIdToken>(request, async (record) => {
      if (own !== userId) throw forbidden("Such a token says who you are, and nobody else.");
      const { token, hash } = await newToken("openid");
      return this.#locks.run(userId, async () => {
        const stale = await this.#stale(userId);
        const expiresAt = this.#now() + openIdLifetimeMs;
        return this.#storage.commit((write) => {
          for (const old of stale) write.delete("tokens", old);
          write.put("tokens", { userId, deviceId: "", kind: "openid", expiresAt, replaces: "" }, hash);
          return record<OpenIdToken>(write, {
            access_token: token,
            token_type: "Bearer",
            matrix_server_name: this.#serverName,
            expires_in: openIdLifetimeMs / 1000,
          });
        });
      });
    });
  }

  /** @throws MatrixError M_UNKNOWN_TOKEN 401 */
  async userOf(token: string): Promise<string> {
    const hash = await hashToken(token);
    const row = await this.#storage.get("tokens", hash);
    const account = row === undefined ? undefined : await this.#storage.get("accounts", row.userId);
    const isGood = row?.kind === "openid" && this.#now() < (row.expiresAt ?? 0);
    if (!isGood || account === undefined || account.deactivated || account.locked) {
      throw new MatrixError("M_UNKNOWN_TOKEN", 401, "This token is not known here, or has expired.");
    }
    return account.userId;
  }

  /** Those of the user's that have expired, and the oldest of the others where there are too many. */
  async #stale(userId: string): Promise<string[]> {
    const now = this.#now();
    const own = (await tokensOf(this.#storage, userId, "")).filter(({ kind }) => kind === "openid");
    own.sort((a, b) => (b.expiresAt ?? 0) - (a.expiresAt ?? 0));
    const isStale = ({ expiresAt }: (typeof own)[number], i: number) =>
      (expiresAt ?? 0) <= now || i >= openIdTokensKept - 1;
    return own.filter(isStale).map(({ hash }) => hash);
  }
}
