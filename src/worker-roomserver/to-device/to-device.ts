import { invalidParam } from "../../matrix/errors.ts";
import type { ServerName } from "../../matrix/identifiers.ts";
import { utf8Length } from "../../matrix/utf8.ts";
import { KeyedLock } from "../node/keyed-lock.ts";
import type { Requester } from "../node/requester.ts";
import type { SendTransactions } from "../room/api.ts";
import type { Storage, Write } from "../storage/api.ts";
import { LeaderFenced } from "../storage/errors.ts";
import { Lru } from "../storage/lru.ts";
import type { Nid, Position } from "../storage/schema.ts";
import type { Fill, Removed, UsersForMessages } from "../users/api.ts";
import { type Addressed, addressed, type Delivery, onlyHere } from "./addressed.ts";
import type {
  MessagesByUser,
  OutboxMessage,
  ReceivedMessages,
  SendToDevice,
  ToDevice,
  ToDeviceForReaders,
  ToDeviceForServers,
  ToDeviceForUsers,
  ToDeviceOutbox,
  ToDevicePage,
} from "./api.ts";
import { deviceKey, rangeOfDevice } from "./device.ts";
import { OutboxBounds, sent as sentFrom, waitingFor } from "./outbox.ts";
import { QueueBounds } from "./queue-bounds.ts";

export type ToDeviceOptions = {
  storage: Storage;
  transactions: SendTransactions;
  users: UsersForMessages;
  serverName: ServerName;
  /** Milliseconds since 1970. */
  now: () => number;
};

const MAX_TYPE_BYTES = 255;
/** Servers name messages by up to 32 characters, but not all keep to it. */
const MAX_MESSAGE_ID_BYTES = 255;
const KEY_REQUEST = "m.room_key_request";
/** Devices of which is known in memory how far they have come. */
const KNOWN_DEVICES = 10_000;

/** How far a device has come: the last position that was handed out, and up to which it has everything. */
type Progress = { given: Position; delivered: Position };

/** What waits for devices, in the store `toDevice`, and for other servers, in `toDeviceOutbox`. */
export class StoredToDevice
  implements ToDevice, ToDeviceForReaders, ToDeviceForServers, ToDeviceForUsers, ToDeviceOutbox
{
  readonly #storage: Storage;
  readonly #transactions: SendTransactions;
  readonly #users: UsersForMessages;
  readonly #serverName: ServerName;
  readonly #now: () => number;
  readonly #bounds: QueueBounds;
  readonly #outboxBounds: OutboxBounds;
  /** A transaction that is sent twice at once is carried out once. */
  readonly #lock = new KeyedLock<string>();
  readonly #progress = new Lru<string, Progress>(KNOWN_DEVICES);
  /** With which removal, counted in `#removals`, each device went: who looked before that still takes it to be there. */
  readonly #removed = new Lru<string, number>(KNOWN_DEVICES);
  #removals = 0;
  /** The last of them that is on the disk, as far as is known. */
  #settledRemovals = 0;

  constructor(options: ToDeviceOptions) {
    this.#storage = options.storage;
    this.#transactions = options.transactions;
    this.#users = options.users;
    this.#serverName = options.serverName;
    this.#now = options.now;
    this.#bounds = new QueueBounds(options.storage);
    this.#outboxBounds = new OutboxBounds(options.storage);
    // A removal that failed removed nothing.
    options.storage.onRollback(() => this.#removed.clear());
  }

  async send({ userId, deviceId }: Requester, { eventType, txnId, messages }: SendToDevice): Promise<void> {
    checkType(eventType);
    const transaction = `toDevice/${JSON.stringify([eventType, txnId])}`;
    // The disk is waited for in the lock: who comes second is answered once the first has been stored.
    const sent = await this.#lock.run(JSON.stringify([userId, deviceId, transaction]), async () => {
      if ((await this.#transactions.find(userId, deviceId, transaction)) !== undefined) return nothing;
      return this.#store({ type: eventType, sender: userId }, messages, (write) =>
        this.#transactions.record(write, userId, deviceId, transaction, ""),
      );
    });
    await this.#bounds.sent(sent.here);
    await this.#outboxBounds.sent(sent.elsewhere.map(({ server }) => server));
  }

  async receive(origin: string, { sender, type, messageId, messages }: ReceivedMessages): Promise<void> {
    checkType(type);
    if (utf8Length(messageId) > MAX_MESSAGE_ID_BYTES)
      throw invalidParam("This is too long for a message ID.");
    const forUs = onlyHere(messages, this.#serverName);
    const sent = await this.#lock.run(JSON.stringify([origin, messageId]), async () => {
      if ((await this.#storage.get("toDeviceReceived", [origin, messageId])) !== undefined) return nothing;
      return this.#store({ type, sender }, forUs, (write, { here }) => {
        // What reached nobody may come again: who sends such must not fill the store.
        if (here.length > 0) write.put("toDeviceReceived", { origin, messageId, at: this.#now() });
      });
    });
    await this.#bounds.sent(sent.here);
  }

  waitingFor(server: string, after: Position, limit: number): Promise<OutboxMessage[]> {
    return waitingFor(this.#storage, server, after, limit);
  }

  sent(write: Write, server: string, upTo: Position): void {
    sentFrom(write, server, upTo);
  }

  async messages(
    userId: string,
    deviceId: string,
    { after, upTo, limit }: { after: Position; upTo: Position; limit: number },
  ): Promise<ToDevicePage> {
    const key = deviceKey({ userId, deviceId });
    const progress = this.#progress.get(key);
    // What was delivered may still be on its way out of the store.
    const start = Math.max(after, progress?.delivered ?? 0);
    if (start >= upTo) return { messages: [], upTo };
    const range = rangeOfDevice({ userId, deviceId }, { after: start, upTo });
    const [keys, rows] = await Promise.all([
      this.#storage.getAllKeys("toDevice", range, limit + 1),
      this.#storage.getAll("toDevice", range, limit + 1),
    ]);
    const messages = rows.slice(0, limit).map(({ type, sender, json }, i) => ({
      position: keys[i]![2],
      event: { type, sender, content: JSON.parse(json) },
    }));
    const given = messages.at(-1)?.position ?? start;
    if (messages.length > 0) this.#gave(key, given);
    return { messages, upTo: rows.length > limit ? given : upTo };
  }

  delivered(userId: string, deviceId: string, upTo: Position): void {
    const key = deviceKey({ userId, deviceId });
    const progress = this.#progress.get(key);
    const isNothing =
      progress === undefined ? upTo <= 0 : upTo <= progress.delivered || progress.given <= progress.delivered;
    if (isNothing) return;
    // Of a device that is not known in memory an earlier leader may have left something.
    this.#progress.set(key, { given: progress?.given ?? upTo, delivered: upTo });
    this.#storage
      .commit((write) => write.delete("toDevice", rangeOfDevice({ userId, deviceId }, { after: 0, upTo })), {
        lazy: true,
      })
      .catch((error: unknown) => {
        if (error instanceof LeaderFenced) return; // the next leader does it
        console.warn("hearth: messages that a device has are removed later", error);
      });
  }

  take(write: Write, userId: string, deviceId: string, position: Position): void {
    write.delete("toDevice", rangeOfDevice({ userId, deviceId }, { after: position - 1, upTo: position }));
  }

  /** Nothing is read, so that who sends knows of it in the moment in which it is queued. */
  async removal({ userId, deviceIds }: Removed): Promise<Fill> {
    return (write) => {
      for (const deviceId of deviceIds) {
        write.delete("toDevice", rangeOfDevice({ userId, deviceId }));
        this.#removals += 1;
        this.#removed.set(deviceKey({ userId, deviceId }), this.#removals);
      }
    };
  }

  #gave(key: string, position: Position): void {
    const { given, delivered } = this.#progress.get(key) ?? { given: 0, delivered: 0 };
    this.#progress.set(key, { given: Math.max(given, position), delivered });
  }

  /** How many removals whoever looks at the devices now has seen. */
  async #removalsOnDisk(): Promise<number> {
    const seen = this.#removals;
    if (seen > this.#settledRemovals) {
      await this.#storage.settled();
      this.#settledRemovals = Math.max(this.#settledRemovals, seen);
    }
    return seen;
  }

  /** @returns what was stored */
  async #store(
    head: { type: string; sender: string },
    messages: MessagesByUser,
    alsoWrite: (write: Write, sent: Addressed) => void,
  ): Promise<Addressed> {
    const seen = await this.#removalsOnDisk();
    const { here, elsewhere } = await addressed(messages, this.#serverName, this.#users);
    const nids = new Map<string, Nid>();
    for (const { userId } of here) {
      if (!nids.has(userId)) nids.set(userId, await this.#storage.names.intern(userId));
    }
    return this.#storage.commit((write) => {
      const sent: Delivery[] = here.filter((to) => (this.#removed.get(deviceKey(to)) ?? 0) <= seen);
      alsoWrite(write, { here: sent, elsewhere });
      const isKeyRequest = head.type === KEY_REQUEST ? 1 : 0;
      for (const { userId, deviceId, json, weight } of sent) {
        const p = write.append({ topic: "toDevice", user: nids.get(userId)!, detail: deviceId });
        write.put("toDevice", { ...head, json }, [userId, deviceId, p, head.sender, weight, isKeyRequest]);
      }
      for (const { server, messages: byUser } of elsewhere) {
        const p = write.append({ topic: "toDevice", detail: server });
        // At most 32 characters.
        const messageId = crypto.randomUUID().replaceAll("-", "");
        write.put("toDeviceOutbox", { ...head, messageId, json: JSON.stringify(byUser) }, [server, p]);
      }
      return { here: sent, elsewhere };
    });
  }
}

const nothing: Addressed = { here: [], elsewhere: [] };

/** @throws MatrixError M_INVALID_PARAM 400 */
function checkType(type: string): void {
  if (type === "" || utf8Length(type) > MAX_TYPE_BYTES) {
    throw invalidParam(`The type of a message has 1 to ${MAX_TYPE_BYTES} bytes.`);
  }
}
