import { encodeBase64Url } from "../../../matrix/base64.ts";
import { invalidParam, notFound } from "../../../matrix/errors.ts";
import type { Answers } from "../../node/answers.ts";
import type { KeyedLock } from "../../node/keyed-lock.ts";
import type { RequestId } from "../../node/requester.ts";
import type { Storage } from "../../storage/api.ts";
import type { RegistrationTokenRow } from "../../storage/schema.ts";
import { registrationLock } from "../registration-tokens.ts";
import type { RegistrationToken, WantedToken } from "./api.ts";

const grammar = /^[0-9A-Za-z._~-]{1,64}$/;
/** An owner writes them down for people: more than these are listed by nobody. */
const mostTokens = 10_000;

/** What the owner does with registration tokens. Holds the lock under which they are used up. */
export class TokenConsole {
  readonly #storage: Storage;
  readonly #answers: Answers;
  readonly #locks: KeyedLock<string>;

  constructor(options: { storage: Storage; answers: Answers; locks: KeyedLock<string> }) {
    this.#storage = options.storage;
    this.#answers = options.answers;
    this.#locks = options.locks;
  }

  async list(): Promise<RegistrationToken[]> {
    return (await this.#storage.getAll("registrationTokens", undefined, mostTokens)).map(described);
  }

  async get(token: string): Promise<RegistrationToken> {
    return described(await this.#row(token));
  }

  create(request: RequestId, wanted: WantedToken): Promise<RegistrationToken> {
    return this.#answers.once<RegistrationToken>(request, (record) =>
      this.#alone(async () => {
        const token = wanted.token ?? encodeBase64Url(crypto.getRandomValues(new Uint8Array(12)));
        await this.#checkNew(token);
        const row = {
          ...{ token, usesAllowed: wanted.uses_allowed ?? null, completed: 0 },
          expiresAt: wanted.expiry_time ?? null,
        };
        return this.#storage.commit((write) => {
          write.put("registrationTokens", row, token);
          return record(write, described(row));
        });
      }),
    );
  }

  change(token: string, change: Omit<WantedToken, "token">): Promise<RegistrationToken> {
    const { uses_allowed: usesAllowed, expiry_time: expiresAt } = change;
    return this.#alone(async () => {
      const row = {
        ...(await this.#row(token)),
        ...(usesAllowed !== undefined && { usesAllowed }),
        ...(expiresAt !== undefined && { expiresAt }),
      };
      await this.#storage.commit((write) => write.put("registrationTokens", row, token));
      return described(row);
    });
  }

  delete(token: string): Promise<void> {
    return this.#alone(() => this.#storage.commit((write) => write.delete("registrationTokens", token)));
  }

  /** @throws MatrixError M_INVALID_PARAM 400 */
  async #checkNew(token: string): Promise<void> {
    if (!grammar.test(token)) {
      throw invalidParam("A registration token is made of 1 to 64 of A-Z, a-z, 0-9 and . _ ~ -");
    }
    const [present, keys] = await Promise.all([
      this.#storage.get("registrationTokens", token),
      this.#storage.getAllKeys("registrationTokens", undefined, mostTokens),
    ]);
    if (present !== undefined) throw invalidParam("There is such a registration token already.");
    if (keys.length === mostTokens) throw invalidParam(`There are ${mostTokens} tokens already.`);
  }

  async #row(token: string): Promise<RegistrationTokenRow> {
    const row = await this.#storage.get("registrationTokens", token);
    if (row === undefined) throw notFound("There is no such registration token.");
    return row;
  }

  #alone<T>(task: () => Promise<T>): Promise<T> {
    return this.#locks.run(registrationLock, task);
  }
}

function described({ token, usesAllowed, completed, expiresAt }: RegistrationTokenRow): RegistrationToken {
  return { token, uses_allowed: usesAllowed, completed, expiry_time: expiresAt };
}
