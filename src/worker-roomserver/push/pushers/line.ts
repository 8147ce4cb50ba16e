import type { JsonObject } from "../../../matrix/json.ts";
import { countNotification, eventNotification, type GatewayDevice } from "../../../matrix/push-gateway.ts";
import { tweaksOf } from "../../../matrix/push-rules/evaluate.ts";
import type { Nid, PusherRow, PushProgressRow } from "../../storage/schema.ts";
import type { ClientPusher } from "../api.ts";
import { namesOf } from "../describe-event.ts";
import type { Notification } from "../notification.ts";
import { backOffMs, GIVE_UP_AFTER_MS } from "./back-off.ts";
import { askGateway } from "./gateway.ts";
import type { DeliveryOptions } from "./options.ts";
import type { PusherKey } from "./pusher-key.ts";

/** Notifications that wait for one pusher. When its gateway is back, the newest are what counts. */
export const MOST_WAITING = 1_000;

type LineOptions = DeliveryOptions & {
  key: PusherKey;
  user: Nid;
  progress: PushProgressRow;
  /** The pusher is not there any more. */
  gone: () => void;
};

/** What waits for one pusher, sent one after the other. */
export class PusherLine {
  readonly start: number;
  readonly #with: LineOptions;
  /** The oldest first. */
  #queue: Notification[] = [];
  #progress: PushProgressRow;
  /** The newest that was ever in the queue: after a failure the reader tells of some again. */
  #newest: number;
  /** The count has changed since it was last told. */
  #isCountDue = false;
  #hasBegun = false;
  #isRunning = false;
  #isClosed = false;
  #stopWaiting = (): void => undefined;

  constructor(options: LineOptions) {
    this.#with = options;
    this.start = options.progress.start;
    this.#progress = options.progress;
    this.#newest = options.progress.sent;
  }

  /** The order of the last event that it is done with. */
  get sent(): number {
    return this.#progress.sent;
  }

  /** @param waiting - from the store, in any order */
  begin(waiting: readonly Notification[]): void {
    const byOrder = new Map([...waiting, ...this.#queue].map((one) => [one.order, one]));
    this.#queue = [...byOrder.values()].sort((a, b) => a.order - b.order).slice(-MOST_WAITING);
    this.#newest = Math.max(this.#newest, this.#queue.at(-1)?.order ?? 0);
    this.#hasBegun = true;
    this.#wake();
  }

  take(notification: Notification): void {
    if (notification.order <= this.#newest) return;
    this.#newest = notification.order;
    this.#queue.push(notification);
    if (this.#queue.length > MOST_WAITING) this.#queue.shift();
    this.#wake();
  }

  /** Something has been read. */
  count(): void {
    this.#isCountDue = true;
    this.#wake();
  }

  /** Its owner has set it anew: what kept it from working may be over. */
  tryNow(): void {
    this.#progress = { ...this.#progress, failures: 0, notBefore: 0 };
    this.#wake();
  }

  close(): void {
    this.#isClosed = true;
    this.#stopWaiting();
  }

  #wake(): void {
    this.#stopWaiting();
    if (this.#isClosed || this.#isRunning || !this.#hasBegun) return;
    const wait = this.#progress.notBefore - this.#with.now();
    if (wait > 0) this.#stopWaiting = this.#with.later(wait, () => this.#wake());
    else void this.#run();
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    while (!this.#isClosed && (this.#queue.length > 0 || this.#isCountDue)) {
      if (!(await this.#next())) break;
    }
    this.#isRunning = false;
    // After a failure it waits; and something may have come at the last moment.
    if (this.#queue.length > 0 || this.#isCountDue) this.#wake();
  }

  /** @returns whether to go on at once */
  async #next(): Promise<boolean> {
    const [notification] = this.#queue;
    // What comes while it is being told changes it again.
    const wasCountDue = this.#isCountDue;
    this.#isCountDue = false;
    try {
      const row = await this.#with.storage.get("pushers", this.#with.key);
      if (row === undefined || row.start !== this.start) {
        this.close();
        this.#with.gone();
        return false;
      }
      const isTold =
        notification === undefined ? await this.#sendCount(row) : await this.#sendEvent(row, notification);
      this.#isCountDue ||= wasCountDue && !isTold;
      this.#done(notification);
      return true;
    } catch (error) {
      if (this.#isClosed) return false;
      this.#isCountDue ||= wasCountDue;
      this.#failed(notification, error);
      return false;
    }
  }

  /** Not what is old or has been read meanwhile. */
  async #isWanted({ ts, room, order }: Notification): Promise<boolean> {
    const { storage, now, caughtUp, unread, user } = this.#with;
    if (now() - ts >= GIVE_UP_AFTER_MS) return false;
    // After a failure the reader goes over some of the log again, and knows of the event only then.
    await caughtUp(storage.position);
    return (await unread.of(user, room)).has(order);
  }

  /** @returns whether the gateway was told, and of the count too */
  async #sendEvent(row: PusherRow, notification: Notification): Promise<boolean> {
    const { room, unread, user } = this.#with;
    if (!(await this.#isWanted(notification))) return false;
    const [event] = await room.presentEvents([notification.event]);
    if (event === undefined || event.redactedBy !== "") return false;
    const device = deviceOf(row);
    const body = eventNotification(
      {
        eventId: event.eventId,
        roomId: event.roomId,
        pdu: event.pdu,
        tweaks: tweaksOf(notification.actions),
        ...(await namesOf(room, event)),
      },
      { userId: row.userId, device, unread: await unread.total(user) },
    );
    await this.#ask(device, body);
    return true;
  }

  async #sendCount(row: PusherRow): Promise<true> {
    const device = deviceOf(row);
    await this.#ask(device, countNotification(device, await this.#with.unread.total(this.#with.user)));
    return true;
  }

  async #ask(device: GatewayDevice, body: JsonObject): Promise<void> {
    const rejected = await askGateway(this.#with.egress, device, body);
    // Of others' pushkeys this gateway has nothing to say here.
    if (rejected.includes(device.pushkey)) await this.#with.rejected(this.#with.key);
  }

  #done(notification: Notification | undefined): void {
    const { sent, failures } = this.#progress;
    if (notification !== undefined) this.#queue = this.#queue.filter((other) => other !== notification);
    this.#store({ sent: Math.max(sent, notification?.order ?? 0), failures: 0, notBefore: 0 }, failures > 0);
  }

  #failed(notification: Notification | undefined, error: unknown): void {
    const { now, random } = this.#with;
    const failures = this.#progress.failures + 1;
    if (failures === 1) console.warn("hearth: a push gateway did not take a notification", error);
    // A count alone is told with the next event, if not sooner: it is not worth going on for ever.
    if (notification === undefined && failures > 10) this.#isCountDue = false;
    this.#store({ failures, notBefore: now() + backOffMs(failures, random()) }, true);
  }

  /**
   * Lazily: nobody waits for it, and what is lost of it is sent again. It does no harm where the pusher has gone.
   * @param isOther - whether it has changed in more than how far it has come
   */
  #store(change: Partial<PushProgressRow>, isOther: boolean): void {
    const before = this.#progress;
    this.#progress = { ...before, ...change };
    if (this.#isClosed || (!isOther && before.sent === this.#progress.sent)) return;
    const { storage, key } = this.#with;
    storage
      .commit((write) => write.put("pushProgress", this.#progress, key), { lazy: true })
      .catch((error: unknown) => {
        if (!this.#isClosed) console.warn("hearth: how far a pusher has come is not stored", error);
      });
  }
}

function deviceOf({ appId, pushkey, ts, json }: PusherRow): GatewayDevice {
  const { data } = JSON.parse(json) as ClientPusher;
  return { appId, pushkey, ts, data };
}
