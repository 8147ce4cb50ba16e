import type { Row } from "node:sqlite";
import type { SqliteStore } from "../sqlite/store.ts";
import type { Entry, Mail, Mailbox, Put } from "./api.ts";
import { fingerprintsOf } from "./fingerprints.ts";
import { fits, type MailboxLimits, sizeOf, type Used } from "./room.ts";

/** Rows that expiry removes in one transaction: others wait for as long as that takes. */
const EXPIRY_STEP = 500;
/** Transactions that are remembered for one node, at least. The oldest are forgotten first. */
const REMEMBERED = 100_000;

type MailboxRow = {
  number: number;
  last_id: number;
  entries: number;
  bytes: number;
  unverified_entries: number;
  unverified_bytes: number;
  remembered: number;
};

export function sqliteMailbox({ db, write }: SqliteStore, limits: MailboxLimits): Mailbox {
  const remembered = Math.max(REMEMBERED, 2 * limits.entries);
  const mailbox = db.prepare("SELECT * FROM mailboxes WHERE owner = ?");
  const create = db.prepare("INSERT INTO mailboxes (owner) VALUES (?) RETURNING *");
  const known = db.prepare("SELECT 1 FROM remembered WHERE mailbox = ? AND fingerprint IN (?, ?)");
  const remember = db.prepare("INSERT INTO remembered VALUES (?, ?, ?, ?)");
  const forgetOldest = db.prepare(
    "DELETE FROM remembered WHERE (mailbox, fingerprint) IN " +
      "(SELECT mailbox, fingerprint FROM remembered WHERE mailbox = ? ORDER BY id LIMIT ?)",
  );
  const insert = db.prepare("INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  const count = db.prepare(
    "UPDATE mailboxes SET last_id = ?, entries = entries + 1, bytes = bytes + ?, remembered = ?, " +
      "unverified_entries = unverified_entries + ?, unverified_bytes = unverified_bytes + ? WHERE number = ?",
  );
  const oldest = db.prepare("SELECT * FROM entries WHERE mailbox = ? AND id > ? ORDER BY id LIMIT 1");
  const hasMore = db.prepare("SELECT 1 FROM entries WHERE mailbox = ? AND id > ? LIMIT 1");
  const upTo = db.prepare("SELECT 1 FROM entries WHERE mailbox = ? AND id <= ? LIMIT 1");
  const drop = db.prepare(
    "DELETE FROM entries WHERE mailbox = ? AND id <= ? RETURNING mailbox, bytes, verified",
  );
  const dropOld = db.prepare(
    "DELETE FROM entries WHERE rowid IN (SELECT rowid FROM entries WHERE received_at < ? LIMIT ?) " +
      "RETURNING mailbox, bytes, verified",
  );
  const forgetOld = db.prepare(
    "DELETE FROM remembered WHERE (mailbox, fingerprint) IN " +
      "(SELECT mailbox, fingerprint FROM remembered WHERE received_at < ? LIMIT ?) RETURNING mailbox",
  );
  const forgotten = db.prepare("UPDATE mailboxes SET remembered = remembered - ? WHERE number = ?");
  const dropped = db.prepare(
    "UPDATE mailboxes SET entries = entries - ?, bytes = bytes - ?, " +
      "unverified_entries = unverified_entries - ?, unverified_bytes = unverified_bytes - ? WHERE number = ?",
  );

  const rowOf = (owner: string) => mailbox.get(owner) as MailboxRow | undefined;

  const put = (owner: string, mail: Mail, [own, other]: readonly [Uint8Array, Uint8Array]): Put => {
    const row = rowOf(owner) ?? (create.get(owner) as MailboxRow);
    if (known.get(row.number, own, other) !== undefined) return "duplicate";
    const authorization = JSON.stringify(mail.authorization);
    const bytes = sizeOf(mail);
    if (!fits(usedOf(row), bytes, mail.verified, limits)) return "full";
    const id = row.last_id + 1;
    const { number } = row;
    const surplus = Math.max(0, row.remembered + 1 - remembered);
    if (surplus > 0) forgetOldest.run(number, surplus);
    remember.run(number, own, mail.receivedAt, id);
    const verified = mail.verified ? 1 : 0;
    const { receivedAt, origin, txnId, method, uri, body } = mail;
    insert.run(number, id, verified, bytes, receivedAt, origin, txnId, method, uri, authorization, body);
    count.run(id, bytes, row.remembered + 1 - surplus, 1 - verified, verified ? 0 : bytes, number);
    return "stored";
  };

  /** Takes entries that were dropped off the counts. Returns how many there were. */
  const countDropped = (rows: readonly Row[]): number => {
    for (const [number, of] of byMailbox(rows)) {
      const unverified = of.filter((row) => row.verified === 0);
      dropped.run(of.length, sum(of), unverified.length, sum(unverified), number);
    }
    return rows.length;
  };

  return {
    put: async (owner, mail) => {
      const fingerprints = fingerprintsOf(mail);
      return write(() => put(owner, mail, fingerprints));
    },
    next: async (owner, after) => {
      const row = rowOf(owner);
      if (row === undefined || row.entries === 0) return undefined;
      const found = oldest.get(row.number, after);
      if (found === undefined) return undefined;
      const entry = entryOf(found);
      return { entry, more: hasMore.get(row.number, entry.id) !== undefined };
    },
    acknowledge: async (owner, id) => {
      const row = rowOf(owner);
      if (row === undefined || upTo.get(row.number, id) === undefined) return;
      await write(() => countDropped(drop.all(row.number, id)));
    },
    backlog: async (owner) => {
      const row = rowOf(owner);
      return { entries: row?.entries ?? 0, bytes: row?.bytes ?? 0 };
    },
    expire: async (before) => {
      let total = 0;
      for (;;) {
        const step = await write(() => countDropped(dropOld.all(before, EXPIRY_STEP)));
        total += step;
        if (step < EXPIRY_STEP) break;
      }
      for (;;) {
        const step = await write(() => {
          const rows = forgetOld.all(before, EXPIRY_STEP);
          for (const [number, of] of byMailbox(rows)) {
            forgotten.run(of.length, number);
          }
          return rows.length;
        });
        if (step < EXPIRY_STEP) return total;
      }
    },
  };
}

function usedOf(row: MailboxRow): Used {
  const { entries, bytes, unverified_entries: unverifiedEntries, unverified_bytes: unverifiedBytes } = row;
  return { entries, bytes, unverifiedEntries, unverifiedBytes };
}

function byMailbox(rows: readonly Row[]): Map<number, Row[]> {
  const found = new Map<number, Row[]>();
  for (const row of rows) {
    const number = Number(row.mailbox);
    const own = found.get(number);
    if (own === undefined) found.set(number, [row]);
    else own.push(row);
  }
  return found;
}

const sum = (rows: readonly Row[]) => rows.reduce((total, row) => total + Number(row.bytes), 0);

function entryOf(row: Row): Entry {
  return {
    id: Number(row.id),
    origin: String(row.origin),
    txnId: String(row.txn_id),
    method: String(row.method),
    uri: String(row.uri),
    authorization: JSON.parse(String(row.authorization)) as string[],
    body: row.body as Uint8Array,
    receivedAt: Number(row.received_at),
    verified: row.verified === 1,
  };
}
