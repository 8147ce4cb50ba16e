import { expect, test } from "vitest";
import type { JsonObject } from "../../../../src/matrix/json.ts";
import { slide } from "../support/sliding.ts";
import { type TestSync, testSync } from "../support/sync.ts";

const LONG = 3_600_000;

async function send(t: TestSync, from: number, to: number, device = "alice-D"): Promise<void> {
  const sending = Array.from({ length: to - from }, (_, i) =>
    t.toDevice.send(t.user("bob"), {
      eventType: "org.example",
      txnId: crypto.randomUUID(),
      messages: { [t.id("alice")]: { [device]: { n: from + i } } },
    }),
  );
  await Promise.all(sending);
}

type Query = { pos?: string; since?: string; limit?: number; timeout?: number };

/** What the extension answers, as numbers, its token, and that of the connection. */
async function ask(t: TestSync, { pos, timeout, ...toDevice }: Query = {}) {
  const answer = await slide(t, "alice", {
    ...(pos !== undefined && { pos }),
    ...(timeout !== undefined && { timeout }),
    extensions: { to_device: { enabled: true, ...toDevice } },
  });
  const { next_batch, events } = answer.extensions.to_device!;
  return { pos: answer.pos, next: next_batch, got: events.map(({ content }) => (content as JsonObject).n) };
}

const upTo = (n: number, from = 0) => Array.from({ length: n - from }, (_, i) => from + i);

test("messages come until the client says that it has them, on whatever connection", async () => {
  const t = await testSync();
  await send(t, 0, 3);
  const first = await ask(t, { limit: 2 });
  expect(first.got).toEqual([0, 1]);
  expect((await ask(t, { limit: 2 })).got).toEqual([0, 1]);
  const second = await ask(t, { since: first.next });
  expect(second.got).toEqual([2]);
  expect((await ask(t, { since: second.next })).got).toEqual([]);
  await t.storage.flushed();
  expect(await t.storage.getAllKeys("toDevice")).toEqual([]);
});

test("what is left comes at once, on a connection that has nothing else to wait for", async () => {
  const t = await testSync();
  await send(t, 0, 150);
  const first = await ask(t, { limit: 1_000 });
  expect(first.got).toEqual(upTo(100));
  const second = await ask(t, { pos: first.pos, since: first.next, timeout: LONG });
  expect(second.got).toEqual(upTo(150, 100));
  const waiting = ask(t, { pos: second.pos, since: second.next, timeout: LONG });
  await send(t, 0, 1, "alice-E");
  await send(t, 150, 151);
  expect((await waiting).got).toEqual([150]);
});

test("a limit of none would never end: it is one", async () => {
  const t = await testSync();
  await send(t, 0, 2);
  expect((await ask(t, { limit: 0 })).got).toEqual([0]);
});

test("a token of another server is refused, and one of an earlier backup begins anew", async () => {
  const t = await testSync();
  await send(t, 0, 1);
  await expect(ask(t, { since: "s12" })).rejects.toMatchObject({ errcode: "M_INVALID_PARAM", status: 400 });
  expect((await ask(t, { since: "h999999" })).got).toEqual([0]);
});

test("who does not ask for it is not told", async () => {
  const t = await testSync();
  await send(t, 0, 1);
  expect((await slide(t, "alice", {})).extensions).toEqual({});
  expect((await slide(t, "alice", { extensions: { to_device: {} } })).extensions).toEqual({});
});
