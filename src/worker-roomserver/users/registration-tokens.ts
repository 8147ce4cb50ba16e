import type { Storage, Write } from "../storage/api.ts";
import type { RegistrationTokenRow } from "../storage/schema.ts";
import type { GuessLimits } from "./guess-limits.ts";
import type { Stage } from "./uia.ts";

/** All guesses at registration tokens share a budget: whoever guesses has no account to be counted by. */
const guessTarget = "m.login.registration_token";

export type RegistrationTokensOptions = {
  storage: Storage;
  guesses: GuessLimits;
  now: () => number;
};

/**
 * Tokens that let people register who were given one.
 * @see https://spec.matrix.org/v1.19/client-server-api/#token-authenticated-registration
 */
export class RegistrationTokens {
  readonly #with: RegistrationTokensOptions;

  constructor(options: RegistrationTokensOptions) {
    this.#with = options;
  }

  /** @throws MatrixError M_LIMIT_EXCEEDED 429 */
  async isValid(token: string): Promise<boolean> {
    const giveBack = this.#with.guesses.take(guessTarget);
    const row = await this.#with.storage.get("registrationTokens", token);
    if (row === undefined || !isUsable(row, this.#with.now())) return false;
    giveBack();
    return true;
  }

  readonly stage: Stage = {
    type: "m.login.registration_token",
    refusal: async ({ token }) => {
      if (typeof token !== "string") return "The token is missing.";
      return (await this.isValid(token)) ? undefined : "This registration token is not valid.";
    },
  };

  /**
   * Reads a token that is about to be used. To be called, and its result used, under the lock of registration.
   * @returns counts the use; undefined when the token is not valid any more
   */
  async using(token: string): Promise<((write: Write) => void) | undefined> {
    const row = await this.#with.storage.get("registrationTokens", token);
    if (row === undefined || !isUsable(row, this.#with.now())) return undefined;
    return (write) => write.put("registrationTokens", { ...row, completed: row.completed + 1 }, token);
  }
}

/** The key of the lock under which accounts are made and registration tokens change. No user id looks like it. */
export const registrationLock = "registration";

function isUsable({ usesAllowed, completed, expiresAt }: RegistrationTokenRow, now: number): boolean {
  return (usesAllowed === null || completed < usesAllowed) && (expiresAt === null || now < expiresAt);
}
