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
import type { AccountDataForComponents, AccountDataForReaders } from "../account-data/api.ts";
import type { Answers } from "../node/answers.ts";
import type { Requester, RequestId } from "../node/requester.ts";
import type { Write } from "../storage/api.ts";

const TYPE = "m.push_rules";

export type PushRulesOptions = {
  answers: Answers;
  accountData: Pick<AccountDataForReaders, "stored"> & Pick<AccountDataForComponents, "change">;
};

/**
 * Users' push rules, kept as the account data `m.push_rules`: so a change of them is in the log as one of account data,
 * and wakes syncs.
 */
export class PushRules {
  readonly #with: PushRulesOptions;

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
    return this.#with.answers.once<JsonObject>(request, async (record) => {
      await this.#change(
        userId,
        (rules) => withoutRule(rules, kind, ruleId),
        (write) => void record(write, {}),
      );
      return {};
    });
  }

  #change(
    userId: string,
    change: (rules: Ruleset) => Ruleset,
    alongside?: (write: Write) => void,
  ): Promise<void> {
    return this.#with.accountData.change(
      userId,
      null,
      TYPE,
      (content) => {
        const before = userRuleset(userId, content);
        const now = rulesToStore(userId, change(before));
        // What is so already is no news to anybody.
        return JSON.stringify(now) === JSON.stringify(rulesToStore(userId, before)) ? undefined : now;
      },
      alongside,
    );
  }
}
