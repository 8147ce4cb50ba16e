import { expect, onTestFinished, test } from "vitest";
import { withArrivals } from "../../../src/relay/mailbox/arrivals.ts";
import { sqliteMailbox } from "../../../src/relay/mailbox/sqlite-mailbox.ts";
import { openSqlite } from "../../../src/relay/sqlite/store.ts";
import { mail } from "./contract.ts";

function opened() {
  const sqlite = openSqlite(":memory:");
  onTestFinished(() => sqlite.close());
  return withArrivals(sqliteMailbox(sqlite, { bytes: 1 << 20, entries: 2 }));
}

test("who waits for mail hears when it is stored: all of one owner, nobody else", async () => {
  const { mailbox, arrivals } = opened();
  const end = new AbortController();
  const heard: string[] = [];
  const wait = (owner: string, name: string) => arrivals.next(owner, end.signal).then(() => heard.push(name));
  const [one, two, other] = [wait("a", "1"), wait("a", "2"), wait("b", "3")];
  await mailbox.put("a", mail());
  await Promise.all([one, two]);
  expect(heard).toEqual(["1", "2"]);
  end.abort();
  await other;
});

test("what is not stored is no news", async () => {
  const { mailbox, arrivals } = opened();
  await mailbox.put("a", mail());
  const end = new AbortController();
  let heard = false;
  const waiting = arrivals.next("a", end.signal).then(() => {
    heard = true;
  });
  expect(await mailbox.put("a", mail())).toBe("duplicate");
  expect(heard).toBe(false);
  await mailbox.put("a", mail({ txnId: "2" }));
  await waiting;
  await arrivals.next("a", AbortSignal.abort());
});
