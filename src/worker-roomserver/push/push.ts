import type { JsonObject } from "../../matrix/json.ts";
import type { Ruleset } from "../../matrix/push-rules/ruleset.ts";
import { userRuleset } from "../../matrix/push-rules/user-rules.ts";
import { DurableReader } from "../log/reader.ts";
import type { Requester } from "../node/requester.ts";
import type { Storage } from "../storage/api.ts";
import type { Nid, Position } from "../storage/schema.ts";
import type { Push, PushForReaders, UnreadCounts } from "./api.ts";
import { Judge } from "./judge.ts";
import type { PushOptions } from "./options.ts";
import { countUnread } from "./unread.ts";

/** Push rules, and the unread counts that a reader of the log makes with them. */
export class PushCounts implements Push, PushForReaders {
  readonly #storage: Storage;
  readonly #accountData: PushOptions["accountData"];
  readonly #judge: Judge;
  readonly #reader: DurableReader;

  constructor(options: PushOptions) {
    const judge = new Judge(options);
    this.#storage = options.storage;
    this.#accountData = options.accountData;
    this.#judge = judge;
    this.#reader = new DurableReader({
      storage: options.storage,
      name: "push",
      handle: (entries) => judge.handle(entries),
      reset: () => judge.reset(),
    });
  }

  async rules(requester: Requester): Promise<{ global: Ruleset }> {
    return { global: await this.#rules(requester.userId) };
  }

  async rulesEvent(userId: string): Promise<JsonObject> {
    return { type: "m.push_rules", content: { global: await this.#rules(userId) } };
  }

  caughtUp(position: Position): Promise<void> {
    return this.#reader.caughtUp(position);
  }

  async counts(userId: string, room: Nid): Promise<UnreadCounts> {
    const user = await this.#storage.names.find(userId);
    return countUnread(user === undefined ? new Map() : await this.#judge.unread.of(user, room));
  }

  /** As they are stored: the reader of the log may be a little behind. */
  async #rules(userId: string): Promise<Ruleset> {
    return userRuleset(userId, await this.#accountData.stored(userId, "m.push_rules"));
  }

  close(): void {
    this.#reader.stop();
  }
}
