// A relay's mailbox in a process of its own, which puts without end and says what was answered: to be killed.
import { writeSync } from "node:fs";
import process from "node:process";
import { sqliteMailbox } from "../../../src/relay/mailbox/sqlite-mailbox.ts";
import { openSqlite } from "../../../src/relay/sqlite/store.ts";

const [path = "", first = "0"] = process.argv.slice(2);
const mailbox = sqliteMailbox(openSqlite(path), { bytes: 1 << 30, entries: 1_000_000 });
let next = Number(first);

async function putWithoutEnd(): Promise<void> {
  for (;;) {
    const txnId = String(next++);
    const outcome = await mailbox.put("node", {
      origin: "origin.example",
      txnId,
      method: "PUT",
      uri: `/_matrix/federation/v1/send/${txnId}`,
      authorization: ["X-Matrix"],
      body: new TextEncoder().encode(txnId.repeat(500)),
      receivedAt: Date.now(),
      verified: true,
    });
    writeSync(1, `${outcome} ${txnId}\n`);
  }
}

await Promise.all(Array.from({ length: 8 }, putWithoutEnd));
