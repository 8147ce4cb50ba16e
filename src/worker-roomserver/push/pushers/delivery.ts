import type { Position, PusherRow } from "../../storage/schema.ts";
import { fromRow, type Notification } from "../notification.ts";
import { GIVE_UP_AFTER_MS } from "./back-off.ts";
import { MOST_WAITING, PusherLine } from "./line.ts";
import type { DeliveryOptions } from "./options.ts";
import { keyOf, type PusherKey } from "./pusher-key.ts";

/**
 * Brings notifications to the gateways of all pushers: each pusher has a line of its own, so that a slow gateway holds
 * up no other. How far each has come is stored; what a crash leaves unsaid of that is sent again, and gateways know
 * events that they have seen.
 */
export class Delivery {
  readonly #with: DeliveryOptions;
  readonly #lines = new Map<string, Map<string, PusherLine>>();
  readonly #expected = new Set<{ userId: string; notifications: Notification[] }>();

  private constructor(options: DeliveryOptions) {
    this.#with = options;
  }

  /** With what waits for pushers from before. Reads all pushers, and of each at most a thousand small rows. */
  static async open(options: DeliveryOptions): Promise<Delivery> {
    const { storage } = options;
    const delivery = new Delivery(options);
    // What the last leader has found may still be on its way to the stores.
    await storage.flushed();
    const [rows, keys] = await Promise.all([storage.getAll("pushers"), storage.getAllKeys("pushProgress")]);
    await Promise.all(rows.map((row) => delivery.add(row)));
    const present = new Set(rows.map((row) => nameOf(keyOf(row))));
    // Of pushers that went with their device while something was on its way to them.
    const orphans = keys.filter((key) => !present.has(nameOf(key)));
    if (orphans.length > 0) {
      await storage.commit((write) => {
        for (const key of orphans) write.delete("pushProgress", key);
      });
    }
    return delivery;
  }

  notified(userId: string, notification: Notification): void {
    for (const line of this.#lines.get(userId)?.values() ?? []) line.take(notification);
    for (const expected of this.#expected) {
      if (expected.userId === userId) expected.notifications.push(notification);
    }
  }

  /** Keeps what comes for a user until a pusher of theirs is there, or will not be. */
  expect(userId: string): { notifications: readonly Notification[]; end(): void } {
    const expected = { userId, notifications: [] };
    this.#expected.add(expected);
    return { notifications: expected.notifications, end: () => this.#expected.delete(expected) };
  }

  read(userId: string): void {
    for (const line of this.#lines.get(userId)?.values() ?? []) line.count();
  }

  /**
   * A pusher that is new, or has been set anew: it is tried at once.
   * @param meanwhile - what came for its user while it was being made
   */
  async add(row: PusherRow, meanwhile: readonly Notification[] = []): Promise<void> {
    const { storage } = this.#with;
    const key = keyOf(row);
    const ofUser = this.#lines.get(row.userId) ?? new Map<string, PusherLine>();
    this.#lines.set(row.userId, ofUser);
    const present = ofUser.get(nameOf(key));
    if (present?.start === row.start) {
      present.tryNow();
      return;
    }
    present?.close();
    const progress = await storage.get("pushProgress", key);
    const known = progress?.start === row.start ? progress : undefined;
    const line = new PusherLine({
      ...this.#with,
      key,
      user: await storage.names.intern(row.userId),
      progress: known ?? { start: row.start, sent: row.start, failures: 0, notBefore: 0 },
      gone: () => ofUser.delete(nameOf(key)),
    });
    // From now on it is told of what comes; what came before is in the store.
    ofUser.set(nameOf(key), line);
    const stored = await this.#waiting(row.userId, line.sent);
    line.begin([...stored, ...meanwhile.filter(({ order }) => order > line.sent)]);
  }

  remove(key: PusherKey): void {
    const line = this.#lines.get(key[0])?.get(nameOf(key));
    line?.close();
    this.#lines.get(key[0])?.delete(nameOf(key));
  }

  close(): void {
    for (const lines of this.#lines.values()) for (const line of lines.values()) line.close();
  }

  async #waiting(userId: string, after: Position): Promise<Notification[]> {
    const { storage, now } = this.#with;
    const user = await storage.names.intern(userId);
    const range = IDBKeyRange.bound([user], [user, -after], false, true);
    const keys = await storage.getAllKeys("notifications", range, MOST_WAITING);
    const rows = await storage.getAll("notifications", range, MOST_WAITING);
    const oldest = now() - GIVE_UP_AFTER_MS;
    return rows.map((row, i) => fromRow(keys[i]![1], row)).filter(({ ts }) => ts >= oldest);
  }
}

const nameOf = (key: readonly string[]) => JSON.stringify(key);
