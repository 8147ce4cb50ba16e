import { expect, onTestFinished, test, vi } from "vitest";
import { trimLog } from "../../../src/worker-roomserver/log/trim.ts";
import { Compactor } from "../../../src/worker-roomserver/node/compactor.ts";
import { dropOrphanedWaits } from "../../../src/worker-roomserver/room/purge/orphaned-waits.ts";
import { purgeRoom } from "../../../src/worker-roomserver/room/purge/purge-room.ts";
import { finishPurges } from "../../../src/worker-roomserver/room/purge/remove.ts";
import { dropOldTransactions } from "../../../src/worker-roomserver/room/transactions.ts";
import { registerAt, testNode } from "../support/node.ts";
import { json, testRooms } from "../support/room.ts";
import { diesAfterNextUnit, until } from "../support/rounds.ts";
import { dump } from "../support/storage.ts";

const DAY_MS = 24 * 60 * 60_000;

/** A node's database with something of all that there is to remove. */
async function littered(name?: string) {
  const t = await testRooms(name);
  const compactor = (now = () => Date.now() + 40 * DAY_MS) =>
    new Compactor({
      storage: t.storage,
      now,
      hourly: [() => finishPurges(t.parts), () => trimLog(t.storage, 3)],
      daily: [() => dropOldTransactions(t.storage, now), () => dropOrphanedWaits(t.storage)],
    });
  if (name !== undefined) return { t, compactor };
  const alice = t.user("alice");
  const make = async () => (await t.rooms.createRoom(t.request(), alice, { preset: "private_chat" })).room_id;
  const [gone, stays] = [await make(), await make()];
  const say = (roomId: string, txnId: string) =>
    t.rooms.sendEvent(alice, { roomId, type: "m.room.message", txnId, content: { body: "hi" } });
  for (let i = 0; i < 110; i++) await say(gone, `${i}`);
  // The log is trimmed by whole rows, and a row holds what went into the stores together.
  await t.storage.flushed();
  for (let i = 110; i < 220; i++) await say(gone, `${i}`);
  const { event_id } = await say(stays, "last");
  const [event] = await t.rooms.events([(await t.rooms.eventById(event_id))!.nid]);
  await t.storage.commit((write) => {
    write.put("awaited", ["redaction"], [event!.room, "$absent", event!.nid]);
    write.put("awaited", ["redaction"], [event!.room, "$absent", 999_999]);
    write.put("transactions", ["$new", Date.now() + 39 * DAY_MS], ["@alice:h", "D", "new"]);
  });
  await t.storage.flushed();
  await purgeRoom(t.parts, gone);
  return { t, compactor, stays, gone };
}

/** Without what differs from one run to the next: keys, ids and times. */
async function shape(t: { storage: Parameters<typeof dump>[0] }) {
  const stores = await dump(t.storage);
  const sizes = Object.entries(stores).map(([store, rows]) => [store, rows.length] as const);
  return Object.fromEntries(sizes.filter(([store]) => !["log", "meta"].includes(store)));
}

test("removes what nothing needs, keeps the rest, and finds nothing the next time", async () => {
  const { t, compactor, stays } = await littered();
  await compactor().run();
  expect(await t.storage.getAllKeys("purges")).toEqual([]);
  expect(await t.storage.getAllKeys("transactions")).toEqual([["@alice:h", "D", "new"]]);
  expect((await t.storage.getAllKeys("awaited")).map(([, id]) => id)).toEqual(["$absent"]);
  expect(t.storage.logStart).toBeGreaterThan(0);
  const state = json(await t.rooms.state(t.user("alice"), stays!)) as unknown as object[];
  expect(state.length).toBeGreaterThan(3);
  const once = await dump(t.storage);
  await compactor().run();
  expect(await dump(t.storage)).toEqual(once);
});

test("what is young stays", async () => {
  const { t, compactor } = await littered();
  await compactor(Date.now).run();
  expect(await t.storage.getAllKeys("transactions")).toHaveLength(222);
});

test("goes on after a crash between any two units, and ends in the same", async () => {
  const whole = await littered();
  await whole.compactor().run();
  const want = await shape(whole.t);
  for (let units = 1; ; units++) {
    const { t, compactor } = await littered();
    let left = units;
    const commit = t.storage.commit.bind(t.storage);
    let isDead = false;
    t.storage.commit = (fill, options) => {
      isDead ||= left-- === 0;
      return isDead ? new Promise(() => undefined) : commit(fill, options);
    };
    const run = compactor().run();
    let isDone = false;
    void run.then(() => {
      isDone = true;
    });
    await until(() => isDone || isDead);
    const next = await littered(t.storage.name);
    await next.compactor().run();
    expect(await shape(next.t)).toEqual(want);
    if (isDone) break;
  }
});

test("a node goes on with a purge that its last leader has begun, and with its own", async () => {
  const name = `test-${crypto.randomUUID()}`;
  const node = await testNode(name);
  const alice = await registerAt(node, "alice");
  const make = async () => (await node.room.createRoom(crypto.randomUUID(), alice, {})).room_id;
  const roomId = await make();
  const leave = { roomId, action: "leave", target: alice.userId } as const;
  await node.room.changeMembership(crypto.randomUUID(), alice, leave);
  // What a dead leader complains of, when the test ends.
  const muted = vi.spyOn(console, "error").mockImplementation(() => undefined);
  onTestFinished(() => muted.mockRestore());
  const died = diesAfterNextUnit(node.storage);
  void node.room.forget(alice, roomId);
  await died;
  expect(await node.storage.getAll("purges")).toHaveLength(1);
  const next = await testNode(name);
  await until(async () => (await next.storage.getAll("purges")).length === 0);
  expect(await next.storage.getAll("rooms")).toEqual([]);
  const again = (await next.room.createRoom(crypto.randomUUID(), alice, {})).room_id;
  await next.room.changeMembership(crypto.randomUUID(), alice, { ...leave, roomId: again });
  await next.room.forget(alice, again);
  await until(async () => (await next.storage.getAll("snapshots")).length === 0);
});
