import { KeyedLock } from "../../node/keyed-lock.ts";
import { later } from "../../node/later.ts";
import type { DeviceRequester, Requester } from "../../node/requester.ts";
import { requireDevice } from "../../node/require-device.ts";
import type { Nid, Position, PusherRow } from "../../storage/schema.ts";
import type { ClientPusher, PusherBody } from "../api.ts";
import type { Notification, NotificationListener } from "../notification.ts";
import { deletePusher } from "./belongings.ts";
import type { Delivery } from "./delivery.ts";
import type { PushersOptions } from "./options.ts";
import { checkNumber, wantedPusher } from "./pusher.ts";
import type { PusherKey } from "./pusher-key.ts";

const delivering = later(() => import("./delivery.ts"));

/** What happened before the delivery was there to be told. */
type Early = (delivery: Delivery) => void;
/** As many as one pusher may have waiting. */
const MOST_EARLY = 1_000;

/** Users' pushers. What delivers to them is loaded only where there are any. */
export class Pushers implements NotificationListener {
  readonly #with: PushersOptions;
  /** Of a pushkey at its app there is one change after the other, whoever makes it. */
  readonly #lock = new KeyedLock<string>();
  #delivery: Promise<Delivery> | undefined;
  #opened: Delivery | undefined;
  /** Undefined where there is no pusher, so that nothing is for anybody. */
  #early: Early[] | undefined = [];
  #isClosed = false;

  constructor(options: PushersOptions) {
    this.#with = options;
    // Whoever opens the page does not wait for it.
    this.#startIfNeeded().catch((error: unknown) => this.#reportUnlessClosed(error));
  }

  notified(userId: string, notification: Notification): void {
    this.#tell((delivery) => delivery.notified(userId, notification));
  }

  read(userId: string, _room: Nid, _position: Position): void {
    this.#tell((delivery) => delivery.read(userId));
  }

  async list({ userId }: Requester): Promise<ClientPusher[]> {
    const rows = await this.#ofUser(userId);
    return rows.map(({ json }) => JSON.parse(json));
  }

  /** See Push. */
  set(requester: Requester, body: PusherBody): Promise<void> {
    const wanted = wantedPusher(body);
    const { app_id: appId, pushkey } = body;
    return this.#locked(appId, pushkey, async () => {
      if (wanted === undefined) return this.#remove([requester.userId, appId, pushkey]);
      const delivery = await this.#started();
      // From before it is known where the log stands that it begins at, lest something falls in between.
      const meanwhile = delivery.expect(requester.userId);
      try {
        await delivery.add(
          await this.#store(requireDevice(requester), wanted, body.append === true),
          meanwhile.notifications,
        );
      } finally {
        meanwhile.end();
      }
    });
  }

  /** A gateway does not know the pushkey any more. */
  #rejected([userId, appId, pushkey]: PusherKey): Promise<void> {
    return this.#locked(appId, pushkey, () => this.#remove([userId, appId, pushkey]));
  }

  close(): void {
    this.#isClosed = true;
    this.#opened?.close();
  }

  #store(requester: DeviceRequester, wanted: ClientPusher, append: boolean): Promise<PusherRow> {
    const { storage, devices } = this.#with;
    const { userId } = requester;
    // A pusher of a device that has just been removed would stay for ever.
    return devices.whileDevice(requester, async () => {
      const byPushkey = IDBKeyRange.only([wanted.app_id, wanted.pushkey]);
      const same = await storage.fromIndex("pushers", "pushkey", byPushkey);
      const present = same.find((other) => other.userId === userId);
      const others = append ? [] : same.filter((other) => other !== present);
      if (present === undefined) checkNumber((await this.#ofUser(userId)).length);
      const row = this.#row(requester, wanted, present);
      await storage.commit((write) => {
        for (const other of others) deletePusher(write, other);
        write.put("pushers", row);
      });
      return row;
    });
  }

  async #remove(key: PusherKey): Promise<void> {
    await this.#with.storage.commit((write) => {
      write.delete("pushers", key);
      write.delete("pushProgress", key);
    });
    this.#opened?.remove(key);
  }

  #row(
    { userId, deviceId }: DeviceRequester,
    wanted: ClientPusher,
    present: PusherRow | undefined,
  ): PusherRow {
    const { storage, now } = this.#with;
    return {
      userId,
      appId: wanted.app_id,
      pushkey: wanted.pushkey,
      deviceId,
      json: JSON.stringify(wanted),
      ts: now(),
      // Apps set theirs anew whenever they start: what waits for it still does.
      start: present?.start ?? storage.position,
    };
  }

  #ofUser(userId: string): Promise<PusherRow[]> {
    return this.#with.storage.getAll("pushers", IDBKeyRange.bound([userId], [userId, []]));
  }

  #locked<T>(appId: string, pushkey: string, task: () => Promise<T>): Promise<T> {
    return this.#lock.run(JSON.stringify([appId, pushkey]), task);
  }

  #tell(early: Early): void {
    if (this.#opened !== undefined) early(this.#opened);
    else if (this.#early !== undefined && this.#early.push(early) > MOST_EARLY) this.#early.shift();
  }

  async #startIfNeeded(): Promise<void> {
    const [first] = await this.#with.storage.getAllKeys("pushers", undefined, 1);
    if (first !== undefined) await this.#started();
    else if (this.#delivery === undefined) this.#early = undefined;
  }

  /** From here on all that happens is told to the delivery, if only once it is there. */
  #started(): Promise<Delivery> {
    if (this.#delivery !== undefined) return this.#delivery;
    this.#early ??= [];
    const opening = this.#open();
    this.#delivery = opening;
    opening.catch(() => {
      this.#delivery = undefined; // whoever comes next tries again
    });
    return opening;
  }

  async #open(): Promise<Delivery> {
    const { Delivery } = await delivering();
    const delivery = await Delivery.open({ ...this.#with, rejected: (key) => this.#rejected(key) });
    this.#opened = delivery;
    for (const early of this.#early ?? []) early(delivery);
    this.#early = undefined;
    if (this.#isClosed) delivery.close();
    return delivery;
  }

  #reportUnlessClosed(error: unknown): void {
    if (!this.#isClosed)
      console.error("hearth: pushers could not be read; the next change tries again", error);
  }
}
