import { encodeBase64 } from "../../matrix/base64.ts";
import { unknown } from "../../matrix/errors.ts";
import { sha256 } from "../../matrix/hashes.ts";
import { encodeUtf8 } from "../../matrix/utf8.ts";
import { KeyedLock } from "../node/keyed-lock.ts";
import type { Storage, Write } from "../storage/api.ts";
import { Lru } from "../storage/lru.ts";
import type { MailKey, MailRow, Position } from "../storage/schema.ts";
import type { Inbox, InboxMail, Mail, MailVerdict } from "./api.ts";

/** Past this, mail stays with the relay: it has its own bounds, of which it tells those who send. */
export const INBOX_LIMITS = { bytes: 256 * 1024 * 1024, entries: 20_000 };
/** Ends of mail that may not be in their store yet; fewer than that are ever on their way. */
const TAKEN_REMEMBERED = 50_000;
/**
 * How long it is remembered that a transaction was taken. A relay keeps mail for 30 days unless its owner says otherwise;
 * what it brings after that is old to whoever looks at what is in it.
 */
const TAKEN_KEPT_MS = 60 * 24 * 60 * 60_000;
/**
 * Mail that is kept in memory until it has ended, in bytes; what comes past that is read when it is its turn, so many
 * together. To read a row that is only just on the disk, all that is on its way to the stores has to get there first.
 */
const AT_HAND_BYTES = 8 * 1024 * 1024;
const READ_AHEAD = { entries: 64, bytes: 4 * 1024 * 1024 };

/** @see Inbox. Only the bodies are on the disk alone. */
export class StoredInbox implements Inbox {
  readonly #storage: Storage;
  readonly #now: () => number;
  readonly #limits: typeof INBOX_LIMITS;
  readonly #lock = new KeyedLock<string>();
  #waiting: Promise<Waiting> | undefined;
  readonly #taken = new Lru<string, true>(TAKEN_REMEMBERED);
  readonly #arriving = new Map<Position, MailKey>();
  readonly #atHand = new Map<Position, MailRow>();
  #atHandBytes = 0;
  readonly #unsubscribe: (() => void)[];

  constructor(storage: Storage, now: () => number, limits = INBOX_LIMITS) {
    this.#limits = limits;
    this.#storage = storage;
    this.#now = now;
    this.#unsubscribe = [
      storage.onRollback(() => {
        this.#waiting = undefined;
        this.#taken.clear();
        this.#arriving.clear();
        this.#atHand.clear();
        this.#atHandBytes = 0;
      }),
      // Here, and not where it was committed: who follows the log and asks for it now must be given it.
      storage.onEntries((entries) => {
        for (const { topic, position } of entries) if (topic === "mail") this.#arrived(position);
      }),
    ];
  }

  close(): void {
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
  }

  add(mail: Mail): Promise<boolean> {
    const { origin, transactionId } = mail;
    const transaction = nameOf(origin, transactionId);
    return this.#lock.run(transaction, async () => {
      const digest = digestOf(mail);
      if (await this.#isKnown(transaction, mail, digest)) return false;
      const waiting = await this.#load();
      // Another delivery of it may have been taken just now.
      if (this.#taken.get(transaction) !== undefined) return false;
      const bytes = sizeOf(mail);
      if (waiting.bytes + bytes > this.#limits.bytes || waiting.entries.size >= this.#limits.entries) {
        throw unknown("Too much mail waits here for its turn.", 507);
      }
      const { method, uri, authorization, body, receivedAt } = mail;
      await this.#storage.commit((write) => {
        const position = write.append({ topic: "mail", detail: origin });
        const key: MailKey = [position, bytes, origin, transactionId, digest];
        const row: MailRow = { method, uri, authorization, body, receivedAt };
        write.put("mail", row, key);
        this.#arriving.set(position, key);
        this.#hold(key, row);
      });
      return true;
    });
  }

  async next(after: Position): Promise<InboxMail | undefined> {
    const waiting = await this.#load();
    const key = waiting.after(after);
    if (key === undefined) return undefined;
    return (await this.#row(waiting, key)) ?? this.next(key[0]);
  }

  async waiting(): Promise<{ id: Position; origin: string }[]> {
    const { entries } = await this.#load();
    return [...entries.values()].map(([id, , origin]) => ({ id, origin })).sort((a, b) => a.id - b.id);
  }

  async read(id: Position): Promise<InboxMail | undefined> {
    const waiting = await this.#load();
    const key = waiting.entries.get(id);
    return key && this.#row(waiting, key);
  }

  async #row(waiting: Waiting, key: MailKey): Promise<InboxMail | undefined> {
    const row = this.#atHand.get(key[0]) ?? (await this.#readAhead(waiting, key));
    if (row === undefined) {
      waiting.remove(key); // it has ended meanwhile
      return undefined;
    }
    const [id, , origin, transactionId] = key;
    return { ...row, id, origin, transactionId };
  }

  /** Reads a row with those after it, which will be asked for next. */
  async #readAhead(waiting: Waiting, key: MailKey): Promise<MailRow | undefined> {
    const range = IDBKeyRange.bound(key, waiting.lastToRead(key));
    const [keys, rows] = await Promise.all([
      this.#storage.getAllKeys("mail", range, READ_AHEAD.entries),
      this.#storage.getAll("mail", range, READ_AHEAD.entries),
    ]);
    for (const [i, row] of rows.entries()) {
      const other = keys[i];
      if (other !== undefined && waiting.entries.has(other[0])) this.#hold(other, row);
    }
    return keys[0]?.[0] === key[0] ? rows[0] : undefined;
  }

  #hold([id, bytes]: MailKey, row: MailRow): void {
    if (this.#atHand.has(id) || this.#atHandBytes + bytes > AT_HAND_BYTES) return;
    this.#atHand.set(id, row);
    this.#atHandBytes += bytes;
  }

  #letGo([id, bytes]: MailKey): void {
    if (this.#atHand.delete(id)) this.#atHandBytes -= bytes;
  }

  async answerOf(origin: string, transactionId: string): Promise<string | undefined> {
    const range = IDBKeyRange.only([origin, transactionId]);
    const [taken] = await this.#storage.fromIndex("mailTaken", "transaction", range, 1);
    return taken && (taken.answer ?? "");
  }

  async ending(
    { id }: Pick<InboxMail, "id">,
    verdict: MailVerdict,
    answer?: string,
  ): Promise<(write: Write) => void> {
    const waiting = await this.#load();
    const key = waiting.entries.get(id);
    if (key === undefined) return () => undefined;
    const [, , origin, transactionId] = key;
    const transaction = nameOf(origin, transactionId);
    return (write) => {
      const all = () => [...waiting.of(transaction), ...this.#takeArriving(transaction)];
      for (const ended of verdict === "taken" ? all() : [key]) {
        waiting.remove(ended);
        this.#letGo(ended);
        write.delete("mail", ended);
      }
      if (verdict === "refused") return;
      this.#taken.set(transaction, true);
      write.put("mailTaken", {
        ...{ at: this.#now(), origin, transactionId },
        ...(answer !== undefined && { answer }),
      });
    };
  }

  /** Deliveries of a transaction that are on their way to the disk, in units before the next one. */
  #takeArriving(transaction: string): MailKey[] {
    const arriving = [...this.#arriving.values()].filter((key) => nameOf(key[2], key[3]) === transaction);
    for (const [id] of arriving) this.#arriving.delete(id);
    return arriving;
  }

  /** Forgets what was taken long ago. */
  async *dropOld(): AsyncGenerator<void> {
    const range = IDBKeyRange.bound([0], [this.#now() - TAKEN_KEPT_MS]);
    if ((await this.#storage.getAllKeys("mailTaken", range, 1)).length === 0) return;
    await this.#storage.commit((write) => write.delete("mailTaken", range), { relaxed: true });
    yield;
  }

  async #isKnown(transaction: string, { origin, transactionId }: Mail, digest: string): Promise<boolean> {
    if (this.#taken.get(transaction) !== undefined) return true;
    const range = IDBKeyRange.only([origin, transactionId]);
    const [taken] = await this.#storage.storedKeys("mailTaken", "transaction", range, 1);
    if (taken !== undefined) return true;
    const waiting = await this.#load();
    // Asked again: it may have been taken while its row was looked for.
    if (this.#taken.get(transaction) !== undefined) return true;
    return waiting.of(transaction).some((key) => key[4] === digest);
  }

  #arrived(position: Position): void {
    const key = this.#arriving.get(position);
    if (key === undefined) return;
    this.#load().then(
      (waiting) => {
        // It may have ended with another delivery of its transaction.
        if (this.#arriving.delete(position)) waiting.add(key);
      },
      () => this.#arriving.delete(position), // whoever asks for it next reads it
    );
  }

  async #load(): Promise<Waiting> {
    this.#waiting ??= this.#read();
    const loading = this.#waiting;
    try {
      const waiting = await loading;
      return this.#waiting === loading ? waiting : this.#load();
    } catch (error) {
      if (this.#waiting === loading) this.#waiting = undefined;
      throw error;
    }
  }

  async #read(): Promise<Waiting> {
    const waiting = new Waiting();
    for (const key of await this.#storage.getAllKeys("mail")) waiting.add(key);
    return waiting;
  }
}

/** What waits, without what is in it. */
class Waiting {
  /** By id, the oldest first. */
  readonly entries = new Map<Position, MailKey>();
  bytes = 0;
  readonly #byTransaction = new Map<string, MailKey[]>();

  add(key: MailKey): void {
    const [id, bytes, origin, transactionId] = key;
    if (this.entries.has(id)) return;
    this.entries.set(id, key);
    this.bytes += bytes;
    const transaction = nameOf(origin, transactionId);
    this.#byTransaction.set(transaction, [...this.of(transaction), key]);
  }

  remove(key: MailKey): void {
    const [id, bytes, origin, transactionId] = key;
    if (!this.entries.delete(id)) return;
    this.bytes -= bytes;
    const transaction = nameOf(origin, transactionId);
    const others = this.of(transaction).filter((other) => other[0] !== id);
    if (others.length > 0) this.#byTransaction.set(transaction, others);
    else this.#byTransaction.delete(transaction);
  }

  of(transaction: string): readonly MailKey[] {
    return this.#byTransaction.get(transaction) ?? [];
  }

  /** Up to which key to read, from one on: as many as are worth it. */
  lastToRead(from: MailKey): MailKey {
    let last = from;
    let bytes = from[1];
    let left = READ_AHEAD.entries;
    for (const key of this.entries.values()) {
      if (key[0] <= last[0]) continue;
      bytes += key[1];
      if (--left <= 0 || bytes > READ_AHEAD.bytes) break;
      last = key;
    }
    return last;
  }

  after(id: Position): MailKey | undefined {
    let next: MailKey | undefined;
    // Who asks for the next has mostly ended all before it. Units of one moment may be added in any order.
    for (const [at, key] of this.entries) if (at > id && (next === undefined || at < next[0])) next = key;
    return next;
  }
}

const nameOf = (origin: string, transactionId: string) => JSON.stringify([origin, transactionId]);

const sizeOf = ({ uri, authorization, body }: Mail) =>
  body.length + uri.length + authorization.reduce((sum, { length }) => sum + length, 0);

/** Two deliveries with the same one say the same, and are signed by the same. */
const digestOf = ({ method, uri, authorization, body }: Mail) =>
  encodeBase64(sha256(encodeUtf8(JSON.stringify([method, uri, authorization, body]))));
