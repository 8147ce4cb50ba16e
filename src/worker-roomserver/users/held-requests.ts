import type { Requester } from "../node/requester.ts";
import type { Storage } from "../storage/api.ts";
import { Lru } from "../storage/lru.ts";
import type { Nid } from "../storage/schema.ts";
import type { TokenInfo, WhileLoggedIn } from "./api.ts";
import { expiredToken } from "./sessions.ts";

/** Sessions of which is known in memory that they live: those that are in use are far fewer. */
const KNOWN_SESSIONS = 10_000;

export type HeldRequestsOptions = {
  storage: Storage;
  /** Whose request it is by now. @throws MatrixError M_UNKNOWN_TOKEN, M_USER_LOCKED 401, and what application services get */
  authenticate: (requester: Requester) => Promise<TokenInfo>;
  /** Milliseconds since 1970. */
  now: () => number;
};

type Held = { user: Nid; deviceId: string | undefined; lookAgain: () => void };

/**
 * Requests whose answer takes its time, and which may outlive the session that they were made with. The log says whose
 * sessions may have ended; what has become of each is asked then, so that its request is answered as a new one would be.
 */
export class HeldRequests {
  readonly #with: HeldRequestsOptions;
  readonly #held = new Set<Held>();
  /** Sessions that live, and when they expire: most requests come right after the look at their token. */
  readonly #live = new Lru<string, number | null>(KNOWN_SESSIONS);
  /** Counts how often all that was forgotten: what was asked before must not be kept after. */
  #ends = 0;

  constructor(options: HeldRequestsOptions) {
    this.#with = options;
    options.storage.onEntries((entries) => {
      for (const { topic, user, detail } of entries)
        if (topic === "session") this.#mayHaveEnded(user, detail);
    });
  }

  /** Looks at a token, and remembers whose it is. */
  async known(look: () => Promise<TokenInfo>): Promise<TokenInfo> {
    const ends = this.#ends;
    const info = await look();
    if (ends === this.#ends) this.#live.set(keyOf(info.requester), info.expiresAt);
    return info;
  }

  /** @see UsersForHeldRequests */
  readonly whileLoggedIn: WhileLoggedIn = async (requester, task, stop) => {
    // At once, so that what names it can already be cancelled; nobody sees its answer before the session was looked at.
    const answer = task();
    if (requester.session === undefined) return answer;
    answer.catch(() => undefined);
    const { storage, now } = this.#with;
    let end: (why: unknown) => void = () => undefined;
    const ended = new Promise<never>((_, reject) => {
      end = reject;
    });
    ended.catch(stop);
    let timer: ReturnType<typeof setTimeout> | undefined;
    let expiresAt: number | null = null;
    let looking: Promise<void> = Promise.resolve();
    let isOver = false;
    // A token that was refreshed meanwhile is gone: that it has expired all the same is what its client understands.
    const hasExpired = () => expiresAt !== null && now() >= expiresAt;
    const watchClock = () => {
      clearTimeout(timer);
      if (isOver || expiresAt === null) return;
      if (hasExpired()) end(expiredToken());
      else timer = setTimeout(watchClock, expiresAt - now());
    };
    const lookAgain = () => {
      looking = looking.then(async () => {
        expiresAt = await this.#expiryOf(requester);
        watchClock();
      });
      looking.catch(end);
    };
    const held = {
      user: await storage.names.intern(requester.userId),
      deviceId: requester.deviceId,
      lookAgain,
    };
    // Before the first look, so that no end is missed between the two.
    this.#held.add(held);
    try {
      lookAgain();
      const result = await Promise.race([answer, ended]);
      // An end that came while the answer was made may not have been looked at yet.
      for (let looked: Promise<void> | undefined; looked !== looking; ) {
        looked = looking;
        await looked;
      }
      if (hasExpired()) throw expiredToken();
      return result;
    } finally {
      isOver = true;
      clearTimeout(timer);
      this.#held.delete(held);
    }
  };

  async #expiryOf(requester: Requester): Promise<number | null> {
    const known = this.#live.get(keyOf(requester));
    if (known === null || (known !== undefined && this.#with.now() < known)) return known;
    return (await this.known(() => this.#with.authenticate(requester))).expiresAt;
  }

  /** @param user - 0: anybody's. @param deviceId - "": any of the user's */
  #mayHaveEnded(user: Nid, deviceId: string): void {
    this.#ends += 1;
    this.#live.clear();
    for (const held of this.#held) {
      const isMeant = (user === 0 || held.user === user) && (deviceId === "" || held.deviceId === deviceId);
      if (isMeant) held.lookAgain();
    }
  }
}

/** An application service has one token for all that it acts as. */
const keyOf = ({ session, userId, deviceId }: Requester) => JSON.stringify([session, userId, deviceId]);
