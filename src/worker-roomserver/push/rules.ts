import type { JsonObject } from "../../matrix/json.ts";
import {
  type RulePlace,
  rulesToStore,
  type WantedRule,
  withChange,
  withoutRule,
  withRule,
} from "../../matrix/push-rules/edit-rules.ts";
import type { PushRule, RuleKind, Ruleset } from "../../matrix/push-rules/ruleset.ts";
import { userRuleset } from "../../matrix/push-rules/user-rules.ts";
import type { AccountDataForReaders } from "../account-data/api.ts";
import type { Answers } from "../node/answers.ts";
import { KeyedLock } from "../node/keyed-lock.ts";
import type { Requester, RequestId } from "../node/requester.ts";
import type { Storage, Write } from "../storage/api.ts";

const GLOBAL = 0;
const TYPE = "m.push_rules";

export type PushRulesOptions = {
  storage: Storage;
  answers: Answers;
  accountData: Pick<AccountDataForReaders, "stored">;
};

/**
 * Users' push rules, kept as the account data `m.push_rules`, which nothing else writes: so a change of them is in
 * the log as one of account data, and wakes syncs.
 */
export class PushRules {
  readonly #with: PushRulesOptions;
  /** A change is one of what is there: one user's come one after the other. */
  readonly #lock = new KeyedLock<string>();

  constructor(options: PushRulesOptions) {
    this.#with = options;
  }

  /** As they are stored: the reader of the log may be a little behind. */
  async of(userId: string): Promise<Ruleset> {
    return userRuleset(userId, await this.#with.accountData.stored(userId, TYPE));
  }

  set(userId: string, kind: RuleKind, ruleId: string, rule: WantedRule, place: RulePlace): Promise<void> {
    return this.#change(userId, (rules) => withRule(rules, kind, ruleId, rule, place));
  }

  change(
    userId: string,
    kind: RuleKind,
    ruleId: string,
    change: Partial<Pick<PushRule, "enabled" | "actions">>,
  ): Promise<void> {
    return this.#change(userId, (rules) => withChange(rules, kind, ruleId, change));
  }

  delete(request: RequestId, { userId }: Requester, kind: RuleKind, ruleId: string): Promise<JsonObject> {
    const { answers, storage } = this.#with;
    return answers.once<JsonObject>(request, (record) =>
      this.#lock.run(userId, async () => {
        const json = stored(userId, withoutRule(await this.of(userId), kind, ruleId));
        const user = await storage.names.intern(userId);
        return storage.commit((write) => {
          put(write, user, json);
          return record(write, {});
        });
      }),
    );
  }

  #change(userId: string, change: (rules: Ruleset) => Ruleset): Promise<void> {
    return this.#lock.run(userId, async () => {
      const { storage } = this.#with;
      const before = await this.of(userId);
      const json = stored(userId, change(before));
      // What is so already is no news to anybody.
      if (json === stored(userId, before)) return;
      const user = await storage.names.intern(userId);
      await storage.commit((write) => put(write, user, json));
    });
  }
}

const stored = (userId: string, rules: Ruleset) => JSON.stringify(rulesToStore(userId, rules));

function put(write: Write, user: number, json: string): void {
  const p = write.append({ topic: "accountData", user, detail: TYPE });
  write.put("accountData", { u: user, r: GLOBAL, type: TYPE, json, p });
}
