import { expect, test } from "vitest";
import { openReports } from "../../../src/worker-roomserver/reports/open.ts";
import { keptOfOne } from "../../../src/worker-roomserver/reports/reports.ts";
import { requester } from "../support/requester.ts";
import { testStorage } from "../support/storage.ts";

async function opened(name?: string) {
  const storage = await testStorage(name);
  const nothing = () => Promise.resolve(undefined);
  const reports = openReports({
    storage,
    room: {
      nid: nothing,
      membershipOf: nothing,
      eventById: nothing,
      mayUserSee: () => Promise.resolve(false),
    },
    users: { isLocalAccount: () => Promise.resolve(true) },
    serverName: "h",
    now: () => 5,
  });
  const report = (who: string, reason: string) =>
    reports.report(requester(who), { userId: "@eve:h" }, { reason });
  const reasons = async () => (await reports.list({ limit: 500 })).reports.map(({ reason }) => reason);
  return { storage, reports, report, reasons };
}

test("are numbered on by the next leader, and those made at once are all there", async () => {
  const first = await opened();
  await Promise.all(["1", "2", "3"].map((reason) => first.report("alice", reason)));
  await first.storage.flushed();
  first.storage.close();
  const next = await opened(first.storage.name);
  await next.report("alice", "4");
  expect(await next.reasons()).toEqual(["4", "3", "2", "1"]);
});

test("come in pages that new ones do not move, and go when they have been dealt with", async () => {
  const { reports, report } = await opened();
  for (let i = 1; i <= 5; i++) await report("alice", String(i));
  const first = await reports.list({ limit: 2 });
  expect(first).toMatchObject({ reports: [{ id: 5 }, { id: 4 }], next: 3 });
  await report("alice", "6");
  await reports.dismiss(2);
  await reports.dismiss(99);
  const second = await reports.list({ from: first.next, limit: 2 });
  expect(second).toMatchObject({ reports: [{ id: 3 }, { id: 1 }] });
  expect(second).not.toHaveProperty("next");
});

test("a flood of one user pushes out their own, and nobody else's", async () => {
  const { report, reasons } = await opened();
  await report("bob", "bob's");
  for (let i = 0; i < keptOfOne + 3; i++) await report("alice", `${i}`);
  const kept = await reasons();
  expect(kept).toHaveLength(keptOfOne + 1);
  expect(kept).toContain("bob's");
  expect(kept[0]).toBe(String(keptOfOne + 2));
  expect(kept).not.toContain("2");
});
