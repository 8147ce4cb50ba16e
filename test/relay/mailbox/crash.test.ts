import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { expect, onTestFinished, test } from "vitest";
import { sqliteMailbox } from "../../../src/relay/mailbox/sqlite-mailbox.ts";
import { openSqlite } from "../../../src/relay/sqlite/store.ts";

const harness = join(import.meta.dirname, "../support/putting.ts");

/** Lets a process put until it has answered that many, then kills it. Returns what it has answered. */
async function putAndKill(path: string, first: number, answers: number): Promise<string[]> {
  const child = spawn(process.execPath, ["run", "--allow-all", "--no-lock", harness, path, String(first)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const closed = once(child, "close");
  const answered: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    answered.push(line);
    if (answered.length === answers) child.kill("SIGKILL");
  }
  await closed;
  return answered;
}

test("a relay killed while it puts has all that it answered, once each, and nothing in pieces", async () => {
  const folder = await mkdtemp(join(tmpdir(), "hearth-relay-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const path = join(folder, "relay.db");
  const answered = await putAndKill(path, 0, 300);
  // The second one is sent some of the same again, as by senders who got no answer.
  answered.push(...(await putAndKill(path, 250, 200)));

  const sqlite = openSqlite(path);
  const mailbox = sqliteMailbox(sqlite, { bytes: 1 << 30, entries: 1_000_000 });
  const found: string[] = [];
  let after = 0;
  for (;;) {
    const taken = await mailbox.next("node", after);
    if (taken === undefined) break;
    const { id, txnId, body } = taken.entry;
    expect(new TextDecoder().decode(body)).toBe(txnId.repeat(500));
    expect(id).toBeGreaterThan(after);
    after = id;
    found.push(txnId);
  }
  expect(await mailbox.backlog("node")).toMatchObject({ entries: found.length });
  sqlite.close();

  expect(new Set(found).size).toBe(found.length);
  expect(answered.length).toBeGreaterThanOrEqual(500);
  expect(answered.filter((line) => line.startsWith("duplicate")).length).toBeGreaterThan(0);
  const missing = answered.map((line) => line.split(" ")[1] ?? "").filter((txnId) => !found.includes(txnId));
  expect(missing).toEqual([]);
});
