import type { JsonObject } from "../../matrix/json.ts";
import type { Ruleset } from "../../matrix/push-rules/ruleset.ts";
import type { Requester } from "../node/requester.ts";
import type { Nid, Position } from "../storage/schema.ts";

export interface Push {
  /** The user's push rules, in the form of `GET /pushrules/`. */
  rules(requester: Requester): Promise<{ global: Ruleset }>;
}

export type UnreadCounts = {
  notification_count: number;
  highlight_count: number;
  /** Per thread root, for `unread_thread_notifications`. */
  threads: { [root: string]: { notification_count: number; highlight_count: number } };
};

export interface PushForReaders {
  /** Resolves once every event up to the position has been judged by the rules (in memory; the rows follow). */
  caughtUp(position: Position): Promise<void>;
  /** Unread counts after the user's receipts; events in threads count in `threads` and not in the main numbers. */
  counts(userId: string, room: Nid): Promise<UnreadCounts>;
  /** `m.push_rules` as account data: the rules are always there, also before any was changed. */
  rulesEvent(userId: string): Promise<JsonObject>;
}
