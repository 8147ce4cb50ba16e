import type { JsonObject } from "../../matrix/json.ts";
import type { RulePlace, WantedRule } from "../../matrix/push-rules/edit-rules.ts";
import type { PushAction, RuleKind, Ruleset } from "../../matrix/push-rules/ruleset.ts";
import type { Requester, RequestId } from "../node/requester.ts";
import type { Nid, Position } from "../storage/schema.ts";

/** @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3pushers */
export type ClientPusher = {
  pushkey: string;
  kind: "http";
  app_id: string;
  app_display_name: string;
  device_display_name: string;
  profile_tag?: string;
  lang: string;
  data: JsonObject;
};

/** The body of `POST /pushers/set`, checked for its shape at the door. */
export type PusherBody = {
  pushkey: string;
  kind: string | null;
  app_id: string;
  app_display_name?: string | undefined;
  device_display_name?: string | undefined;
  profile_tag?: string | undefined;
  lang?: string | undefined;
  data?: JsonObject | undefined;
  append?: boolean | undefined;
};

export type NotificationsQuery = { from?: string | undefined; limit: number; onlyHighlights: boolean };

/** `ts`: when the user was to be notified, milliseconds since 1970. */
export type ListedNotification = {
  actions: PushAction[];
  event: JsonObject;
  read: boolean;
  room_id: string;
  ts: number;
};

/** `next_token` is absent where there is no more. */
export type NotificationsPage = { next_token?: string; notifications: ListedNotification[] };

/** What a device needs to show an event to its user. `ts`: `origin_server_ts`. */
export type ShownNotification = {
  room_id: string;
  event_id: string;
  type: string;
  sender: string;
  sender_display_name?: string;
  /** Or its alias; absent where it has neither. */
  room_name?: string;
  content: JsonObject;
  ts: number;
  /** Such as `sound` and `highlight`, as the rule sets them. */
  tweaks: JsonObject;
};

/**
 * What is to be shown, the oldest first, and the rooms in which nothing is unread any more, so that what is shown of them
 * can go. `next`: the `from` of the next request.
 */
export type NotificationNews = { next: string; notifications: ShownNotification[]; read: string[] };

/** @see https://spec.matrix.org/v1.19/client-server-api/#push-notifications */
export interface Push {
  /** The user's push rules, in the form of `GET /pushrules/`. One record. */
  rules(requester: Requester): Promise<{ global: Ruleset }>;
  /**
   * Adds a rule of the user's own, or changes it. Changes come one after the other, each of what the one before left.
   * @throws MatrixError M_INVALID_PARAM, M_MISSING_PARAM 400; M_UNKNOWN 400 for a place next to no rule of the user's;
   *   M_TOO_LARGE 413
   */
  setRule(
    requester: Requester,
    kind: RuleKind,
    ruleId: string,
    rule: WantedRule,
    place: RulePlace,
  ): Promise<void>;
  /** @throws MatrixError M_NOT_FOUND 404, also for the server's rules */
  deleteRule(request: RequestId, requester: Requester, kind: RuleKind, ruleId: string): Promise<JsonObject>;
  /** Also of the server's rules. @throws MatrixError M_NOT_FOUND 404 */
  changeRule(
    requester: Requester,
    kind: RuleKind,
    ruleId: string,
    change: { enabled: boolean } | { actions: PushAction[] },
  ): Promise<void>;
  /**
   * What the user was notified of, the newest first, also what has been read since; the newest two thousand are kept.
   * At most 500 small rows and the events of the page, for which there may be fewer than `limit` though there are more.
   * @throws MatrixError M_INVALID_PARAM 400 for a `from` that is no token
   */
  notifications(requester: Requester, query: NotificationsQuery): Promise<NotificationsPage>;
  /** The user's pushers. */
  pushers(requester: Requester): Promise<ClientPusher[]>;
  /**
   * Sets or removes a pusher, which belongs to the requester's device and goes with it.
   * @throws MatrixError M_MISSING_PARAM, M_INVALID_PARAM 400; M_UNKNOWN_TOKEN 401 when the device has just gone;
   *   M_FORBIDDEN 403 for too many
   */
  setPusher(requester: Requester, body: PusherBody): Promise<void>;
  /**
   * What is to be shown on the device that the user sits at: waits up to `timeout` milliseconds for something. At most
   * the newest 20.
   * @param from - `next` of the last answer; without it, nothing is shown and the answer comes at once
   * @throws MatrixError M_INVALID_PARAM 400
   */
  watch(requester: Requester, from: string | undefined, timeout: number): Promise<NotificationNews>;
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
