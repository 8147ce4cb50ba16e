import { encodeBase64Url } from "../../matrix/base64.ts";
import { invalidParam } from "../../matrix/errors.ts";
import type { KeyedLock } from "../node/keyed-lock.ts";
import type { Storage, Write } from "../storage/api.ts";
import type { RegistrationTokenRow } from "../storage/schema.ts";
import type { RegistrationToken } from "./api.ts";
import type { GuessLimits } from "./guess-limits.ts";
import type { Stage } from "./uia.ts";

const grammar = /^[0-9A-Za-z._~-]{1,64}$/;
/** All guesses at registration tokens share a budget: whoever guesses has no account to be counted by. */
const guessTarget = "m.login.registration_token";

export type RegistrationTokensOptions = {
  storage: Storage;
  locks: KeyedLock<string>;
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

  /** @throws MatrixError M_INVALID_PARAM 400 */
  async create(wanted: Partial<Omit<RegistrationToken, "completed">>): Promise<RegistrationToken> {
    const token = wanted.token ?? encodeBase64Url(crypto.getRandomValues(new Uint8Array(12)));
    if (!grammar.test(token)) {
      throw invalidParam("A registration token is made of 1 to 64 of A-Z, a-z, 0-9 and . _ ~ -");
    }
    const { storage, locks } = this.#with;
    return locks.run(registrationLock, async () => {
      if ((await storage.get("registrationTokens", token)) !== undefined) {
        throw invalidParam("There is such a registration token already.");
      }
      const usesAllowed = wanted.uses_allowed ?? null;
      const row = { token, usesAllowed, completed: 0, expiresAt: wanted.expiry_time ?? null };
      return storage.commit((write) => {
        write.put("registrationTokens", row, token);
        return described(row);
      });
    });
  }

  async list(): Promise<RegistrationToken[]> {
    return (await this.#with.storage.getAll("registrationTokens")).map(described);
  }

  delete(token: string): Promise<void> {
    const { storage, locks } = this.#with;
    return locks.run(registrationLock, () =>
      storage.commit((write) => write.delete("registrationTokens", token)),
    );
  }
}

/** The key of the lock under which accounts are made and registration tokens change. No user id looks like it. */
export const registrationLock = "registration";

function isUsable({ usesAllowed, completed, expiresAt }: RegistrationTokenRow, now: number): boolean {
  return (usesAllowed === null || completed < usesAllowed) && (expiresAt === null || now < expiresAt);
}

function described({ token, usesAllowed, completed, expiresAt }: RegistrationTokenRow): RegistrationToken {
  return { token, uses_allowed: usesAllowed, completed, expiry_time: expiresAt };
}
