import { expect, test } from "vitest";
import type { Mail, MailVerdict } from "../../../src/worker-roomserver/relay/api.ts";
import { StoredInbox } from "../../../src/worker-roomserver/relay/inbox.ts";
import { logAfter, type TestStorage, testStorage } from "../support/storage.ts";
import { failNextCommit } from "../support/users.ts";

const mail = (transactionId: string, more: Partial<Mail> = {}): Mail => ({
  ...{ origin: "a.example", transactionId, method: "PUT", uri: `/send/${transactionId}` },
  ...{ authorization: ["X-Matrix sig=1"], body: "e30", receivedAt: 5 },
  ...more,
});

const day = 24 * 60 * 60_000;

function over(storage: TestStorage, now = () => 1_000) {
  const inbox = new StoredInbox(storage, now);
  return {
    inbox,
    end: async (id: number, verdict: MailVerdict) => storage.commit(await inbox.ending({ id }, verdict)),
    all: async () => {
      const found: string[] = [];
      for (let at = 0; ; ) {
        const next = await inbox.next(at);
        if (next === undefined) return found;
        found.push(next.transactionId);
        at = next.id;
      }
    },
  };
}

async function reopened(storage: TestStorage): Promise<TestStorage> {
  await storage.flushed();
  storage.close();
  return testStorage(storage.name);
}

test("mail is stored whole, with an entry of the log under its id", async () => {
  const storage = await testStorage();
  const { inbox } = over(storage);
  expect(await inbox.add(mail("1"))).toBe(true);
  const [entry] = await logAfter(storage);
  expect(entry).toMatchObject({ topic: "mail", detail: "a.example" });
  expect(await inbox.next(0)).toEqual({ ...mail("1"), id: entry!.position });
  expect(await inbox.next(entry!.position)).toBeUndefined();
});

test("who is told by the log finds the mail there", async () => {
  const storage = await testStorage();
  const { inbox } = over(storage);
  await inbox.next(0);
  const found = new Promise((resolve) => {
    storage.onEntries(([entry]) => resolve(inbox.next(entry!.position - 1)));
  });
  await inbox.add(mail("1"));
  expect(await found).toMatchObject({ transactionId: "1" });
});

test("the same delivery is taken in once, whoever brings it, also by the next leader", async () => {
  const storage = await testStorage();
  const first = over(storage);
  const added = await Promise.all([
    first.inbox.add(mail("1")),
    first.inbox.add(mail("1", { receivedAt: 9 })),
  ]);
  expect(added.sort()).toEqual([false, true]);
  const next = over(await reopened(storage));
  expect(await next.inbox.add(mail("1"))).toBe(false);
  expect(await next.inbox.add(mail("1", { origin: "b.example" }))).toBe(true);
});

test("what was taken does not come again: not at once, not after a restart, and other deliveries of it end", async () => {
  const storage = await testStorage();
  const { inbox, end, all } = over(storage);
  await inbox.add(mail("1"));
  await inbox.add(mail("1", { authorization: ["X-Matrix sig=2"] }));
  expect(await all()).toEqual(["1", "1"]);
  await end((await inbox.next(0))!.id, "taken");
  expect(await all()).toEqual([]);
  expect(await inbox.add(mail("1", { authorization: ["X-Matrix sig=3"] }))).toBe(false);
  const next = over(await reopened(storage));
  expect(await next.inbox.add(mail("1"))).toBe(false);
  expect(await next.all()).toEqual([]);
});

test("a forged delivery keeps nobody's transaction out", async () => {
  const storage = await testStorage();
  const { inbox, end, all } = over(storage);
  await inbox.add(mail("1", { body: "Zm9yZ2Vk" }));
  const forged = (await inbox.next(0))!;
  expect(await inbox.add(mail("1"))).toBe(true);
  await end(forged.id, "refused");
  expect(await all()).toEqual(["1"]);
  expect((await inbox.next(0))?.body).toBe("e30");
});

test("mail that the disk does not take is not here, and comes again", async () => {
  const storage = await testStorage();
  const { inbox, all } = over(storage);
  await inbox.add(mail("0"));
  failNextCommit(storage);
  await expect(inbox.add(mail("1"))).rejects.toThrow();
  expect(await all()).toEqual(["0"]);
  expect(await inbox.add(mail("1"))).toBe(true);
  expect(await all()).toEqual(["0", "1"]);
});

test("there is an end to what waits", async () => {
  const storage = await testStorage();
  const inbox = new StoredInbox(storage, Date.now, { bytes: 250, entries: 10 });
  const huge = "A".repeat(100);
  const sized = (transactionId: string) => mail(transactionId, { uri: "", authorization: [], body: huge });
  await inbox.add(sized("1"));
  await inbox.add(sized("2"));
  await expect(inbox.add(sized("3"))).rejects.toMatchObject({ status: 507 });
  const first = (await inbox.next(0))!;
  await storage.commit(await inbox.ending(first, "taken"));
  expect(await inbox.add(sized("3"))).toBe(true);
  for (let n = 4; n <= 11; n++) await inbox.add(mail(String(n), { uri: "", authorization: [], body: "" }));
  await expect(inbox.add(mail("12", { body: "" }))).rejects.toMatchObject({ status: 507 });
});

test("that a transaction was taken is forgotten after two months", async () => {
  let now = 1_700_000_000_000;
  const storage = await testStorage();
  const { inbox, end } = over(storage, () => now);
  await inbox.add(mail("1"));
  await end((await inbox.next(0))!.id, "taken");
  now += 59 * day;
  for await (const _ of inbox.dropOld()) expect.unreachable("too early");
  now += 2 * day;
  for await (const _ of inbox.dropOld());
  expect(await storage.getAllKeys("mailTaken")).toEqual([]);
});
