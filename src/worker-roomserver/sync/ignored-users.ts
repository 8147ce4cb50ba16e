import { isJsonObject, type JsonObject } from "../../matrix/json.ts";
import type { AccountDataForReaders } from "../account-data/api.ts";
import type { Storage } from "../storage/api.ts";
import { Lru } from "../storage/lru.ts";
import type { Nid } from "../storage/schema.ts";

const TYPE = "m.ignored_user_list";

/**
 * Whom each user ignores. Kept in memory; the log says when a list has changed.
 * @see https://spec.matrix.org/v1.19/client-server-api/#ignoring-users
 */
export class IgnoredUsers {
  readonly #accountData: AccountDataForReaders;
  readonly #lists = new Lru<Nid, Promise<ReadonlySet<string>>>(1_000);

  constructor(storage: Storage, accountData: AccountDataForReaders) {
    this.#accountData = accountData;
    storage.onEntries((entries) => {
      for (const entry of entries) {
        if (entry.topic === "accountData" && entry.detail === TYPE) this.#lists.delete(entry.user);
      }
    });
    storage.onRollback(() => this.#lists.clear());
  }

  of(userId: string, user: Nid): Promise<ReadonlySet<string>> {
    const known = this.#lists.get(user);
    if (known !== undefined) return known;
    const list = this.#load(userId);
    // The promise is what is kept, so that a change while it loads throws it out as well.
    this.#lists.set(user, list);
    list.catch(() => this.#lists.delete(user));
    return list;
  }

  async #load(userId: string): Promise<ReadonlySet<string>> {
    return ignoredIn((await this.#accountData.stored(userId, TYPE)) ?? {});
  }
}

/** The users in the content of an `m.ignored_user_list`; what is not as the spec has it ignores nobody. */
function ignoredIn(content: JsonObject): ReadonlySet<string> {
  return new Set(isJsonObject(content.ignored_users) ? Object.keys(content.ignored_users) : []);
}
