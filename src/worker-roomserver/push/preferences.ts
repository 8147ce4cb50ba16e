import { isJsonObject } from "../../matrix/json.ts";
import type { Ruleset } from "../../matrix/push-rules/ruleset.ts";
import { userRuleset } from "../../matrix/push-rules/user-rules.ts";
import type { AccountDataForReaders } from "../account-data/api.ts";

export type PushPreferences = { rules: Ruleset; ignored: ReadonlySet<string> };

/** The account data that decides on notifications. */
const TYPES = ["m.push_rules", "m.ignored_user_list"] as const;

/** What users want to be notified of, from their account data; kept until that changes. */
export class Preferences {
  readonly #accountData: Pick<AccountDataForReaders, "stored">;
  /** Promises, so that what was being read while it changed is not kept. */
  readonly #users = new Map<string, Promise<PushPreferences>>();

  constructor(accountData: Pick<AccountDataForReaders, "stored">) {
    this.#accountData = accountData;
  }

  of(userId: string): Promise<PushPreferences> {
    const known = this.#users.get(userId);
    if (known !== undefined) return known;
    const read = this.#read(userId);
    this.#users.set(userId, read);
    return read;
  }

  /** The user's account data of this type has changed. */
  changed(userId: string, type: string): void {
    if (TYPES.some((known) => known === type)) this.#users.delete(userId);
  }

  reset(): void {
    this.#users.clear();
  }

  async #read(userId: string): Promise<PushPreferences> {
    const [rules, list] = await Promise.all(TYPES.map((type) => this.#accountData.stored(userId, type)));
    const ignored = isJsonObject(list?.ignored_users) ? Object.keys(list.ignored_users) : [];
    return { rules: userRuleset(userId, rules), ignored: new Set(ignored) };
  }
}
