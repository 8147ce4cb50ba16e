// What a mailbox takes and gives in a second: `deno run … FOLDER [NATS URL ...]`, with URLs those over JetStream with as
// many copies. Prints a line of JSON: of each the milliseconds, for the same mail; the floor writes bare rows to SQLite.

import { DatabaseSync } from "node:sqlite";
import { natsMailbox } from "../../../src/relay/cluster/mailbox/nats-mailbox.ts";
import type { Mailbox } from "../../../src/relay/mailbox/api.ts";
import { sqliteMailbox } from "../../../src/relay/mailbox/sqlite-mailbox.ts";
import { openSqlite } from "../../../src/relay/sqlite/store.ts";
import { connectTo, discard, startNatsServers } from "../../../test/relay/support/nats-servers.ts";

const [folder = "", with_ = ""] = Deno.args;
const MAIL = 4_000;
const ROUNDS = 5;
/** Requests that come in together, as from as many servers. */
const AT_ONCE = 16;
const NODES = 8;
const limits = { bytes: 1 << 30, entries: 1_000_000 };
/** A transaction of one message. */
const body = crypto.getRandomValues(new Uint8Array(1_500));

const mail = (name: string) => ({
  ...{ origin: "origin.example", txnId: name, method: "PUT", authorization: ["X-Matrix".padEnd(300, "x")] },
  ...{ uri: `/_matrix/federation/v1/send/${name}`, body, receivedAt: Date.now(), verified: true },
});

async function timed(run: () => Promise<void> | void): Promise<number> {
  const started = performance.now();
  await run();
  return performance.now() - started;
}

async function together(count: number, run: (i: number) => Promise<void>): Promise<void> {
  let next = 0;
  const one = async () => {
    while (next < count) await run(next++);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
}

async function puts(mailbox: Mailbox, round: number, count = MAIL): Promise<void> {
  await together(count, async (i) => {
    const put = await mailbox.put(`node${i % NODES}`, mail(`${round}-${i}`));
    if (put !== "stored") throw new Error(put);
  });
}

/** All of it by all nodes, each entry acknowledged when the next is asked for. */
async function takes(mailbox: Mailbox, count = MAIL): Promise<void> {
  let taken = 0;
  await Promise.all(
    Array.from({ length: NODES }, async (_, node) => {
      for (let last = 0; ; taken++) {
        if (last > 0) await mailbox.acknowledge(`node${node}`, last);
        const found = await mailbox.next(`node${node}`, last);
        if (found === undefined) return;
        last = found.entry.id;
      }
    }),
  );
  if (taken !== count) throw new Error(`${taken} taken of ${count}`);
}

/** Bare rows, as many to a transaction as come in together; and each read and removed. */
function rows(db: DatabaseSync, round: number): { put: () => void; take: () => void } {
  const insert = db.prepare("INSERT INTO rows (id, uri, head, body) VALUES (?, ?, ?, ?)");
  const select = db.prepare("SELECT * FROM rows WHERE id > ? ORDER BY id LIMIT 1");
  const remove = db.prepare("DELETE FROM rows WHERE id = ?");
  const first = round * MAIL + 1;
  const each = (count: number, run: (i: number) => void) => {
    for (let i = 0; i < MAIL; i += count) {
      db.exec("BEGIN IMMEDIATE");
      for (let j = i; j < Math.min(MAIL, i + count); j++) run(j);
      db.exec("COMMIT");
    }
  };
  return {
    put: () =>
      each(AT_ONCE, (i) => {
        const { uri, authorization } = mail(`${round}-${i}`);
        insert.run(first + i, uri, authorization.join(), body);
      }),
    take: () =>
      each(NODES, (i) => {
        const row = select.get(first + i - 1);
        remove.run(Number(row?.id));
      }),
  };
}

async function overSqlite() {
  const store = openSqlite(`${folder}/mailbox.db`);
  const mailbox = sqliteMailbox(store, limits);
  const db = new DatabaseSync(`${folder}/floor.db`);
  db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
  db.exec("CREATE TABLE rows (id INTEGER PRIMARY KEY, uri TEXT, head TEXT, body BLOB)");
  const rounds = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const floor = rows(db, round);
    const times = {
      floorPut: await timed(floor.put),
      put: await timed(() => puts(mailbox, round)),
      floorTake: await timed(floor.take),
      take: await timed(() => takes(mailbox)),
    };
    // The first compiles, and makes the files.
    if (round > 0) rounds.push(times);
  }
  store.close();
  db.close();
  return rounds;
}

/** @param count - of servers, which is that of copies as well */
async function overNats(count: 1 | 3): Promise<number[]> {
  const servers = await startNatsServers(count);
  const nats = await connectTo(servers);
  const report = (error: unknown) => {
    throw error;
  };
  const mailbox = await natsMailbox(nats, { limits, retention: 86_400_000, report });
  const times: number[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const ms = await timed(() => puts(mailbox, round, MAIL / 4));
    if (round > 0) times.push(ms * 4);
  }
  await discard(nats);
  await servers.stop();
  return times;
}

const answer =
  with_ === "nats"
    ? { mail: MAIL, one: await overNats(1), three: await overNats(3) }
    : { mail: MAIL, rounds: await overSqlite() };
console.log(JSON.stringify(answer));
Deno.exit(0);
