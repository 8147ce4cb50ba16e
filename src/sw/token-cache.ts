import type { Requester } from "../worker-roomserver/node/requester.ts";
import type { Assertion, TokenInfo, Users } from "../worker-roomserver/users/api.ts";

const maxTokens = 1_000;
/** After this a token is asked about again, which also tells the device when it was last seen. */
const keptMs = 60_000;

type Cached = { info: TokenInfo; at: number };

/** Spares most requests the way to the worker that tells whose token they carry. */
export class TokenCache {
  readonly #users: Pick<Users, "authenticate">;
  readonly #now: () => number;
  readonly #cached = new Map<string, Cached>();
  /** Counts how often everything was dropped: what was asked before that must not be kept after it. */
  #drops = 0;

  constructor(users: Pick<Users, "authenticate">, now: () => number) {
    this.#users = users;
    this.#now = now;
  }

  /**
   * @param options.asserted - whom the bearer wants to act as, should it be an application service
   * @param options.evenLocked - a token of a locked account is taken too
   * @throws {MatrixError} M_UNKNOWN_TOKEN, M_USER_LOCKED (401); of application services M_FORBIDDEN (403),
   *   M_UNKNOWN_DEVICE (400)
   */
  async requester(
    token: string,
    { asserted = {}, evenLocked = false }: { asserted?: Assertion | undefined; evenLocked?: boolean } = {},
  ): Promise<Requester> {
    const { userId, deviceId } = asserted;
    // A token has no spaces.
    const key =
      userId === undefined && deviceId === undefined ? token : `${token} ${JSON.stringify(asserted)}`;
    const cached = this.#cached.get(key);
    if (cached !== undefined && this.#isFresh(cached)) return cached.info.requester;
    this.#cached.delete(key);
    const drops = this.#drops;
    if (evenLocked) return (await this.#users.authenticate(token, { evenLocked, asserted })).requester;
    const info = await this.#users.authenticate(token, { asserted });
    if (drops === this.#drops) this.#keep(key, info);
    return info.requester;
  }

  /** Some token may have become invalid. */
  drop(): void {
    this.#drops += 1;
    this.#cached.clear();
  }

  #isFresh({ info, at }: Cached): boolean {
    const now = this.#now();
    return now - at < keptMs && (info.expiresAt === null || now < info.expiresAt);
  }

  #keep(key: string, info: TokenInfo): void {
    // The first use of a device's new token ends its old one.
    for (const [other, { info: of }] of this.#cached) {
      if (
        of.requester.userId === info.requester.userId &&
        of.requester.deviceId === info.requester.deviceId
      ) {
        this.#cached.delete(other);
      }
    }
    this.#cached.set(key, { info, at: this.#now() });
    const oldest = this.#cached.keys().next();
    if (this.#cached.size > maxTokens && !oldest.done) this.#cached.delete(oldest.value);
  }
}
