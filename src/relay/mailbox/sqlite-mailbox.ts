import type { Row, StatementSync } from "node:sqlite";
import type { SqliteStore } from "../sqlite/store.ts";
import type { Entry, Mail, Mailbox, Put } from "./api.ts";
import { fingerprintsOf } from "./fingerprints.ts";
import { fits, type MailboxLimits, sizeOf, type Used } from "./room.ts";

/** Rows that expiry removes in one transaction: others wait for as long as that takes. */
const EXPIRY_STEP = 500;
/** Transactions that are remembered for one node, at least. The oldest are forgotten first. */
const REMEMBERED = 100_000;
/** Of these, one part in so many is forgotten together: all have to be looked at for that. */
const FORGOTTEN_SHARE = 50;

type MailboxRow = {
  number: number;
  last_id: number;
  entries: number;
  bytes: number;
  unverified_entries: number;
  unverified_bytes: number;
  remembered: number;
};

/** Read as a whole or not at all: one column costs less than five. */
type Head = [origin: string, txnId: string, method: string, uri: string, authorization: string[]];

export function sqliteMailbox({ db, write }: SqliteStore, limits: MailboxLimits): Mailbox {
  const remembered = Math.max(REMEMBERED, 2 * limits.entries);
  const ofOwner = "(SELECT number FROM mailboxes WHERE owner = ?)";
  const mailbox = db.prepare("SELECT * FROM mailboxes WHERE owner = ?");
  const found = db.prepare(
    "SELECT *, EXISTS (SELECT 1 FROM remembered WHERE mailbox = number AND fingerprint IN (?, ?)) AS known " +
      "FROM mailboxes WHERE owner = ?",
  );
  const create = db.prepare("INSERT INTO mailboxes (owner) VALUES (?) RETURNING *, 0 AS known");
  const forgetOldest = db.prepare(
    "DELETE FROM remembered WHERE rowid IN (SELECT rowid FROM remembered WHERE mailbox = ? ORDER BY rowid LIMIT ?)",
  );
  const insert = db.prepare("INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
  const oldest = db.prepare(
    "SELECT *, EXISTS (SELECT 1 FROM entries AS later WHERE later.mailbox = entries.mailbox AND later.id > entries.id) " +
      `AS more FROM entries WHERE mailbox = ${ofOwner} AND id > ? ORDER BY id LIMIT 1`,
  );
  const upTo = db.prepare(`SELECT 1 FROM entries WHERE mailbox = ${ofOwner} AND id <= ? LIMIT 1`);
  const drop = db.prepare(`DELETE FROM entries WHERE mailbox = ${ofOwner} AND id <= ?`);
  const dropOld = db.prepare(oldOf("entries"));
  const forgetOld = db.prepare(oldOf("remembered"));

  const put = (owner: string, mail: Mail, [own, other]: ReturnType<typeof fingerprintsOf>): Put => {
    const row = (found.get(own, other, owner) ?? create.get(owner)) as MailboxRow & { known: 0 | 1 };
    if (row.known === 1) return "duplicate";
    const bytes = sizeOf(mail);
    if (!fits(usedOf(row), bytes, mail.verified, limits)) return "full";
    const { number } = row;
    const surplus = row.remembered - remembered;
    if (surplus > remembered / FORGOTTEN_SHARE) forgetOldest.run(number, surplus);
    const verified = mail.verified ? 1 : 0;
    const { receivedAt, origin, txnId, method, uri, authorization, body } = mail;
    const head: Head = [origin, txnId, method, uri, authorization];
    insert.run(number, row.last_id + 1, verified, bytes, receivedAt, own, JSON.stringify(head), body);
    return "stored";
  };

  /** Removes some of the oldest at a time, until there is one that may stay. Returns how many there were. */
  const dropAll = async (statement: StatementSync, before: number): Promise<number> => {
    let total = 0;
    for (;;) {
      const step = Number(await write(() => statement.run(EXPIRY_STEP, before).changes));
      total += step;
      if (step < EXPIRY_STEP) return total;
    }
  };

  return {
    put: async (owner, mail) => {
      const fingerprints = fingerprintsOf(mail);
      return write(() => put(owner, mail, fingerprints));
    },
    next: async (owner, after) => {
      const row = oldest.get(owner, after);
      return row && { entry: entryOf(row), more: row.more === 1 };
    },
    acknowledge: async (owner, id) => {
      if (upTo.get(owner, id) !== undefined) await write(() => drop.run(owner, id));
    },
    backlog: async (owner) => {
      const row = mailbox.get(owner) as MailboxRow | undefined;
      return { entries: row?.entries ?? 0, bytes: row?.bytes ?? 0 };
    },
    expire: async (before) => {
      const total = await dropAll(dropOld, before);
      await dropAll(forgetOld, before);
      return total;
    },
  };
}

function usedOf(row: MailboxRow): Used {
  const { entries, bytes, unverified_entries: unverifiedEntries, unverified_bytes: unverifiedBytes } = row;
  return { entries, bytes, unverifiedEntries, unverifiedBytes };
}

/** Of the oldest rows those that are too old. There is no index by age, which each entry would have to pay for. */
const oldOf = (table: string) =>
  `DELETE FROM ${table} WHERE rowid IN (SELECT old FROM ` +
  `(SELECT rowid AS old, received_at FROM ${table} ORDER BY rowid LIMIT ?) WHERE received_at < ?)`;

function entryOf(row: Row): Entry {
  const [origin, txnId, method, uri, authorization] = JSON.parse(String(row.head)) as Head;
  return {
    ...{ id: Number(row.id), origin, txnId, method, uri, authorization },
    body: row.body as Uint8Array,
    receivedAt: Number(row.received_at),
    verified: row.verified === 1,
  };
}
