import { expect, test } from "vitest";
import { testSync, texts } from "./support/sync.ts";

test("after a long time, each room is asked instead of the log, with the same answer", async () => {
  const t = await testSync();
  const changed = await t.create("bob");
  const typed = await t.create("bob");
  const read = await t.create("bob");
  const quiet = await t.create("bob");
  for (const roomId of [changed, typed, read, quiet]) await t.act("alice", "join", roomId);
  const { next_batch } = await t.poll("alice");
  await t.say("bob", changed, "long ago");
  await t.typing.set(await t.nid(typed), [t.id("bob")]);
  await t.receipts.set(await t.nid(read), t.id("bob"), "$event");
  await t.presence.set(t.id("bob"), "online");
  await t.accountData.set(t.id("alice"), null, "org.example", { a: 1 });
  const short = await t.poll("alice", { since: next_batch });

  let asked = 0;
  const entriesAfter = t.storage.entriesAfter.bind(t.storage);
  t.storage.entriesAfter = (after, limit) => {
    asked += 1;
    return entriesAfter(after, limit);
  };
  await t.storage.commit((write) => {
    for (let i = 0; i < 1_500; i++) write.append({ topic: "media" });
  });
  const long = await t.poll("alice", { since: next_batch });
  expect(asked).toBe(0);
  expect(texts(long.rooms.join[changed]!.timeline)).toEqual(["long ago"]);
  expect(Object.keys(long.rooms.join).sort()).toEqual([changed, typed, read].sort());
  expect(withoutTokens({ ...long, next_batch: short.next_batch })).toEqual(withoutTokens(short));
});

/** Ages and the tokens of empty timelines go with the time. */
function withoutTokens(answer: object): unknown {
  return JSON.parse(JSON.stringify(answer), (key, value: unknown) =>
    key === "prev_batch" || key === "age" ? undefined : value,
  );
}
