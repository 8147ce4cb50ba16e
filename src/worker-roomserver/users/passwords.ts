import { encodeBase64 } from "../../matrix/base64.ts";
import { invalidParam, MatrixError } from "../../matrix/errors.ts";
import { KeyedLock } from "../node/keyed-lock.ts";
import { later } from "../node/later.ts";

/** What one hash costs whoever makes it. */
export type PasswordCost = { memoryKiB: number; iterations: number; parallelism: number };

const hashing = later(() => import("./argon2.ts"));

const maxLength = 512;
const saltBytes = 16;
const hashBytes = 32;

/** @throws MatrixError M_WEAK_PASSWORD 400 for no password at all; M_INVALID_PARAM 400 for one that is too long */
export function checkNewPassword(password: string): void {
  if (password === "") throw new MatrixError("M_WEAK_PASSWORD", 400, "The password must not be empty.");
  if (password.length > maxLength) {
    throw invalidParam(`The password must have at most ${maxLength} characters.`);
  }
}

/** Hashes and verifies passwords with Argon2id. One at a time: each takes much memory, and all share one thread. */
export class Passwords {
  readonly #cost: () => PasswordCost;
  readonly #queue = new KeyedLock<"argon2">();

  /** @param cost - of what is hashed from now on; asked each time */
  constructor(cost: () => PasswordCost) {
    this.#cost = cost;
  }

  /** @returns a PHC string: the hash with its salt and cost. */
  hash(password: string): Promise<string> {
    return this.#queue.run("argon2", async () => {
      const { argon2id } = await hashing();
      const { memoryKiB, iterations, parallelism } = this.#cost();
      return argon2id({
        password: bytesOf(password),
        salt: randomBytes(saltBytes),
        memorySize: memoryKiB,
        iterations,
        parallelism,
        hashLength: hashBytes,
        outputType: "encoded",
      });
    });
  }

  /**
   * @param phc - "" where there is no such account, or it has no password: nothing matches then, after as much work
   *   as a real one takes, so that an answer's time tells nobody which accounts there are
   */
  async verify(phc: string, password: string): Promise<boolean> {
    const canMatch = phc !== "" && password !== "" && password.length <= maxLength;
    const matches = await this.#queue.run("argon2", async () => {
      const { argon2Verify } = await hashing();
      return argon2Verify(
        canMatch
          ? { password: bytesOf(password), hash: phc }
          : { password: "nobody's", hash: this.#unmatched() },
      );
    });
    return canMatch && matches;
  }

  /** A hash of today's cost that no password is known for. */
  #unmatched(): string {
    const { memoryKiB, iterations, parallelism } = this.#cost();
    const salt = encodeBase64(randomBytes(saltBytes));
    const hash = encodeBase64(randomBytes(hashBytes));
    return `$argon2id$v=19$m=${memoryKiB},t=${iterations},p=${parallelism}$${salt}$${hash}`;
  }
}

const randomBytes = (count: number) => crypto.getRandomValues(new Uint8Array(count));

/** One keyboard writes é as one character and another as two: the password is the same. */
const bytesOf = (password: string) => new TextEncoder().encode(password.normalize("NFKC"));
