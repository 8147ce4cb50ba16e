import { KeyedLock } from "../node/keyed-lock.ts";
import type { Storage } from "../storage/api.ts";
import type { OAuthSecretRow } from "../storage/schema.ts";
import { hashToken } from "../users/tokens.ts";

/** Rows removed together. */
const PAGE = 500;
/** How long a user has for having their cross-signing keys replaced, once they have said so. */
export const resetLifetimeMs = 10 * 60_000;

export type SecretKind = OAuthSecretRow["kind"];
export type SecretRow<K extends SecretKind> = Extract<OAuthSecretRow, { kind: K }>;

/** What ends by itself, by the hash of the secret that opens it: a copy of the database opens nothing. */
export class Secrets {
  readonly #storage: Storage;
  readonly #now: () => number;
  /** Between the sweep and what comes back under a key that it may be about to remove. */
  readonly #locks = new KeyedLock<"sweep">();

  constructor(options: { storage: Storage; now: () => number }) {
    this.#storage = options.storage;
    this.#now = options.now;
  }

  /** Undefined for one of another kind, and for one that has expired. */
  async find<K extends SecretKind>(kind: K, key: string): Promise<SecretRow<K> | undefined> {
    const row = await this.#storage.get("oauthSecrets", key);
    return row?.kind === kind && this.#now() < row.expiresAt ? (row as SecretRow<K>) : undefined;
  }

  /** As `find`, by the secret itself. */
  async open<K extends SecretKind>(
    kind: K,
    secret: string,
  ): Promise<{ key: string; row: SecretRow<K> } | undefined> {
    const key = await hashToken(secret);
    const row = await this.find(kind, key);
    return row && { key, row };
  }

  allowReset(userId: string): Promise<void> {
    const expiresAt = this.#now() + resetLifetimeMs;
    return this.#locks.run("sweep", () =>
      this.#storage.commit((write) => write.put("oauthSecrets", { kind: "reset", expiresAt }, userId)),
    );
  }

  /** Until when; undefined when it is not allowed. */
  async resetUntil(userId: string): Promise<number | undefined> {
    return (await this.find("reset", userId))?.expiresAt;
  }

  /** See OAuthForNode. */
  async *dropExpired(): AsyncGenerator<void> {
    let count: number;
    do {
      count = await this.#locks.run("sweep", () => this.#dropSome());
      yield;
    } while (count === PAGE);
  }

  async #dropSome(): Promise<number> {
    const range = IDBKeyRange.upperBound(this.#now());
    const keys = await this.#storage.keysFromIndex("oauthSecrets", "expiry", range, PAGE);
    if (keys.length > 0) {
      await this.#storage.commit(
        (write) => {
          for (const key of keys) write.delete("oauthSecrets", key);
        },
        { relaxed: true },
      );
    }
    return keys.length;
  }
}
