import type { ServerName } from "../../matrix/identifiers.ts";
import { isJsonObject, type JsonObject } from "../../matrix/json.ts";
import type { Storage } from "../storage/api.ts";
import type { AccountRow } from "../storage/schema.ts";
import type { GuessLimits } from "./guess-limits.ts";
import type { Passwords } from "./passwords.ts";
import type { Stage } from "./uia.ts";
import { identifiedUserId } from "./user-names.ts";

/** Tells who knows an account's password. */
export class Credentials {
  readonly #storage: Storage;
  readonly #guesses: GuessLimits;
  readonly #passwords: Passwords;
  readonly #serverName: ServerName;

  constructor(options: {
    storage: Storage;
    guesses: GuessLimits;
    passwords: Passwords;
    serverName: ServerName;
  }) {
    this.#storage = options.storage;
    this.#guesses = options.guesses;
    this.#passwords = options.passwords;
    this.#serverName = options.serverName;
  }

  /**
   * @returns the account as it was when the password was found right, or undefined: wrong, or no such account
   * @throws MatrixError M_LIMIT_EXCEEDED 429
   */
  async check(userId: string, password: string): Promise<AccountRow | undefined> {
    const giveBack = this.#guesses.take(userId);
    const account = await this.#storage.get("accounts", userId);
    if (!(await this.#passwords.verify(account?.passwordHash ?? "", password))) return undefined;
    giveBack();
    return account;
  }

  /**
   * The stage in which the user `userId`, and nobody else, gives their password.
   * @see https://spec.matrix.org/v1.19/client-server-api/#password-based
   */
  passwordStage(userId: string): Stage {
    return {
      type: "m.login.password",
      refusal: async (auth) => {
        const { password } = auth;
        if (typeof password !== "string") return "The password is missing.";
        if (identifiedUserId(identificationOf(auth), this.#serverName) !== userId) {
          return "This is not the user whose access token was used.";
        }
        if ((await this.check(userId, password)) === undefined) return "Wrong password.";
        return undefined;
      },
    };
  }
}

function identificationOf({ identifier, user, medium }: JsonObject) {
  return {
    // Whatever is no object is complained about as one without a type.
    identifier: identifier === undefined ? undefined : isJsonObject(identifier) ? identifier : {},
    user: typeof user === "string" ? user : undefined,
    medium: typeof medium === "string" ? medium : undefined,
  };
}
