import type { JsonObject } from "../../matrix/json.ts";
import type { RulePlace, WantedRule } from "../../matrix/push-rules/edit-rules.ts";
import type { PushAction, RuleKind, Ruleset } from "../../matrix/push-rules/ruleset.ts";
import { DurableReader } from "../log/reader.ts";
import type { Requester, RequestId } from "../node/requester.ts";
import type { Storage } from "../storage/api.ts";
import type { Nid, Position } from "../storage/schema.ts";
import type {
  ClientPusher,
  NotificationNews,
  NotificationsPage,
  NotificationsQuery,
  Push,
  PusherBody,
  PushForReaders,
  UnreadCounts,
} from "./api.ts";
import { Judge } from "./judge.ts";
import { NotificationList } from "./notification-list.ts";
import type { PushOptions } from "./options.ts";
import { Pushers } from "./pushers/pushers.ts";
import { PushRules } from "./rules.ts";
import { countUnread } from "./unread.ts";
import { UnreadStore } from "./unread-store.ts";
import { NotificationWatch } from "./watch.ts";

/** Push rules, the unread counts that a reader of the log makes with them, and who is told of what they find. */
export class PushNotifications implements Push, PushForReaders {
  readonly #storage: Storage;
  readonly #devices: PushOptions["devices"];
  readonly #rules: PushRules;
  readonly #unread: UnreadStore;
  readonly #list: NotificationList;
  readonly #watch: NotificationWatch;
  readonly #pushers: Pushers;
  readonly #reader: DurableReader;

  constructor(options: PushOptions) {
    const unread = new UnreadStore(options.storage);
    const caughtUp = (position: Position) => this.caughtUp(position);
    const stored = (position: Position) => this.#reader.stored(position);
    const shared = { ...options, unread, caughtUp, stored };
    this.#storage = options.storage;
    this.#devices = options.devices;
    this.#unread = unread;
    this.#rules = new PushRules(options);
    this.#list = new NotificationList(shared);
    this.#watch = new NotificationWatch(shared);
    this.#pushers = new Pushers(shared);
    const judge = new Judge(shared, [this.#watch, this.#pushers]);
    this.#reader = new DurableReader({
      storage: options.storage,
      name: "push",
      handle: (entries) => judge.handle(entries),
      reset: () => judge.reset(),
    });
  }

  async rules(requester: Requester): Promise<{ global: Ruleset }> {
    return { global: await this.#rules.of(requester.userId) };
  }

  async rulesEvent(userId: string): Promise<JsonObject> {
    return { type: "m.push_rules", content: { global: await this.#rules.of(userId) } };
  }

  setRule(
    { userId }: Requester,
    kind: RuleKind,
    ruleId: string,
    rule: WantedRule,
    place: RulePlace,
  ): Promise<void> {
    return this.#rules.set(userId, kind, ruleId, rule, place);
  }

  deleteRule(request: RequestId, requester: Requester, kind: RuleKind, ruleId: string): Promise<JsonObject> {
    return this.#rules.delete(request, requester, kind, ruleId);
  }

  changeRule(
    { userId }: Requester,
    kind: RuleKind,
    ruleId: string,
    change: { enabled: boolean } | { actions: PushAction[] },
  ): Promise<void> {
    return this.#rules.change(userId, kind, ruleId, change);
  }

  notifications(requester: Requester, query: NotificationsQuery): Promise<NotificationsPage> {
    return this.#list.page(requester, query);
  }

  pushers(requester: Requester): Promise<ClientPusher[]> {
    return this.#pushers.list(requester);
  }

  async setPusher(requester: Requester, body: PusherBody): Promise<void> {
    await this.#pushers.set(requester, body);
  }

  watch(requester: Requester, from: string | undefined, timeout: number): Promise<NotificationNews> {
    // What still waits then ends with its time.
    return this.#devices.whileLoggedIn(
      requester,
      () => this.#watch.news(requester.userId, from, timeout),
      () => undefined,
    );
  }

  caughtUp(position: Position): Promise<void> {
    return this.#reader.caughtUp(position);
  }

  async counts(userId: string, room: Nid): Promise<UnreadCounts> {
    const user = await this.#storage.names.find(userId);
    return countUnread(user === undefined ? new Map() : await this.#unread.of(user, room));
  }

  close(): void {
    this.#pushers.close();
    this.#reader.stop();
  }
}
