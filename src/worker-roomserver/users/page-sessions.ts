import { MatrixError } from "../../matrix/errors.ts";
import type { Storage } from "../storage/api.ts";
import type { TokenInfo } from "./api.ts";
import type { Sessions } from "./sessions.ts";
import { hashToken } from "./tokens.ts";

/** A page that has been open for longer than this without any request of its own is gone. */
const KEPT_MS = 7 * 24 * 60 * 60_000;
/** Rows looked at together. */
const PAGE = 500;

export type PageSessionsOptions = { storage: Storage; sessions: Sessions; now: () => number };

/**
 * Which access token each open page has last shown, by the id that the browser has given to the page. What is kept is
 * the token's hash: it gives nobody a login, and says nothing any more once the token has ended.
 */
export class PageSessions {
  readonly #with: PageSessionsOptions;

  constructor(options: PageSessionsOptions) {
    this.#with = options;
  }

  async bind(page: string, token: string): Promise<void> {
    const { storage, now } = this.#with;
    const hash = await hashToken(token);
    await storage.commit((write) => write.put("pages", { hash, at: now() }, page), { relaxed: true });
  }

  /** @throws MatrixError M_MISSING_TOKEN 401 for a page that has shown none; M_UNKNOWN_TOKEN 401 once it has ended */
  async authenticate(page: string): Promise<TokenInfo> {
    const row = await this.#with.storage.get("pages", page);
    if (row === undefined) throw new MatrixError("M_MISSING_TOKEN", 401, "This needs an access token.");
    return this.#with.sessions.authenticateHash(row.hash);
  }

  /** One unit for each five hundred rows that has old ones. */
  async *dropOld(): AsyncGenerator<void> {
    const { storage, now } = this.#with;
    let range: IDBKeyRange | undefined;
    for (;;) {
      const [pages, rows] = await Promise.all([
        storage.getAllKeys("pages", range, PAGE),
        storage.getAll("pages", range, PAGE),
      ]);
      const old = pages.filter((_, i) => rows[i]!.at < now() - KEPT_MS);
      if (old.length > 0) {
        await storage.commit(
          (write) => {
            for (const page of old) write.delete("pages", page);
          },
          { relaxed: true },
        );
      }
      yield;
      const last = pages.at(-1);
      if (last === undefined || pages.length < PAGE) return;
      range = IDBKeyRange.lowerBound(last, true);
    }
  }
}
