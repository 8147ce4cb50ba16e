import { expect, test } from "vitest";
import { Story } from "../../../../reference/story.ts";
import { refusal } from "../../../support/requester.ts";
import { AskedRoom, asking } from "./asked-room.ts";

/** After carol joined: two branches of different lengths, and an end that joins them. */
function forked(): Story {
  const story = new Story("11");
  story.message("left 1", "@alice:a.example", { after: ["carol"] });
  story.message("left 2", "@alice:a.example");
  story.message("left 3", "@alice:a.example");
  story.message("right 1", "@bob:b.example", { after: ["carol"] });
  story.message("end", "@carol:c.example", { after: ["left 3", "right 1"] });
  return story;
}

async function missingIn(
  room: AskedRoom,
  query: { earliest: string[]; latest: string[]; limit?: number; minDepth?: number },
) {
  const events = await (await room.ask()).missingEvents(room.roomId, {
    earliest: room.ids(...query.earliest),
    latest: room.ids(...query.latest),
    limit: query.limit ?? 10,
    minDepth: query.minDepth ?? 0,
  });
  return room.names(events);
}

async function backfillIn(room: AskedRoom, from: string[], limit: number) {
  return room.names(await (await room.ask()).backfill(room.roomId, { from: room.ids(...from), limit }));
}

test("missing events are found breadth-first and answered oldest first", async () => {
  const room = await AskedRoom.of(forked());
  expect(await missingIn(room, { earliest: ["carol"], latest: ["end"] })).toEqual([
    "left 1",
    "left 2",
    "right 1",
    "left 3",
  ]);
});

test.each<[limit: number, names: string[]]>([
  [0, []],
  [-1, []],
  [Number.NaN, []],
  [1, ["left 3"]],
  [3, ["left 2", "right 1", "left 3"]],
])("missing events with the limit %d are the nearest", async (limit, names) => {
  const room = await AskedRoom.of(forked());
  expect(await missingIn(room, { earliest: ["carol"], latest: ["end"], limit })).toEqual(names);
});

test("missing events stop at what is known, and at the depth asked for", async () => {
  const room = await AskedRoom.of(forked());
  expect(await missingIn(room, { earliest: ["left 2", "carol"], latest: ["end"] })).toEqual([
    "right 1",
    "left 3",
  ]);
  const depth = room.story.event("left 2").pdu.depth;
  expect(await missingIn(room, { earliest: [], latest: ["end"], minDepth: depth })).toEqual([
    "left 2",
    "left 3",
  ]);
  expect(await missingIn(room, { earliest: ["end"], latest: ["end"] })).toEqual([]);
});

test("never more than 20 missing events, and 100 of history, are answered", async () => {
  const story = new Story("11");
  for (let i = 0; i < 110; i++) story.message(`m${i}`, "@alice:a.example");
  const room = await AskedRoom.of(story);
  const missing = await missingIn(room, { earliest: [], latest: ["m109"], limit: 1_000 });
  expect(missing).toEqual(Array.from({ length: 20 }, (_, i) => `m${89 + i}`));
  const history = await backfillIn(room, ["m109"], 1_000);
  expect(history).toEqual(Array.from({ length: 100 }, (_, i) => `m${109 - i}`));
});

test("history is the deepest events first, with those it begins at", async () => {
  const room = await AskedRoom.of(forked());
  expect(await backfillIn(room, ["end"], 5)).toEqual(["end", "left 3", "left 2", "right 1", "left 1"]);
  expect(await backfillIn(room, ["left 1", "right 1", "left 1"], 3)).toEqual(["right 1", "left 1", "carol"]);
  expect(await backfillIn(room, ["end"], 0)).toEqual([]);
});

test("history of a depth that lies is each event once, and ends", async () => {
  const story = new Story("11");
  story.message("deep", "@alice:a.example", { depth: 1_000 });
  story.message("shallow", "@alice:a.example", { depth: 2 });
  const room = await AskedRoom.of(story);
  const names = await backfillIn(room, ["shallow"], 100);
  expect(names[0]).toBe("deep");
  expect(names.toSorted()).toEqual(story.names.toSorted());
});

test("a wide and deep graph of others' lies costs no more than the limits allow", async () => {
  const story = new Story("11");
  const layers = Array.from({ length: 55 }, (_, layer) =>
    Array.from({ length: 20 }, (_, place) => `${layer}/${place}`),
  );
  for (const [layer, names] of layers.entries()) {
    const after = layers[layer - 1] ?? ["carol"];
    // Nobody has invited mallory: all of it is rejected.
    for (const name of names) story.message(name, "@mallory:m.example", { after });
  }
  story.message("end", "@alice:a.example", { after: layers.at(-1)! });
  const room = await AskedRoom.of(story);
  expect(await missingIn(room, { earliest: [], latest: ["end"], limit: 20 })).toEqual([]);
  expect(await backfillIn(room, ["end"], 100)).toEqual(["end"]);
});

test("what was rejected is passed by, what was soft-failed is handed out", async () => {
  const story = new Story("11");
  story.message("rejected", "@mallory:m.example");
  story.member("ban", "@alice:a.example", "ban", { of: "@carol:c.example", after: ["rejected"] });
  story.message("soft-failed", "@carol:c.example", { after: ["rejected"] });
  story.message("end", "@alice:a.example", { after: ["ban", "soft-failed"] });
  const room = await AskedRoom.of(story);
  expect(await missingIn(room, { earliest: ["bob"], latest: ["end"] })).toEqual([
    "carol",
    "soft-failed",
    "ban",
  ]);
  expect(await backfillIn(room, ["end"], 4)).toEqual(["end", "soft-failed", "ban", "carol"]);
  expect(await backfillIn(room, ["rejected"], 1)).toEqual(["carol"]);
});

test("outliers are not handed out, nor gone on from", async () => {
  const story = forked();
  const room = await AskedRoom.of(story, story.names.slice(0, -5));
  await room.takeIn(["right 1"], { as: "outlier" });
  expect(await backfillIn(room, ["right 1"], 10)).toEqual([]);
  expect(await missingIn(room, { earliest: [], latest: ["right 1"] })).toEqual([]);
});

test("ids that are not known in the room are ignored, a room that is not known is no room", async () => {
  const [room, other] = [await AskedRoom.of(forked()), new Story("11")];
  other.message("elsewhere", "@alice:a.example", { time: 99 });
  const ask = await room.ask();
  const from = ["$unknown", "", other.event("elsewhere").eventId];
  expect(await ask.backfill(room.roomId, { from, limit: 10 })).toEqual([]);
  const query = { earliest: ["$unknown"], latest: from, limit: 10, minDepth: 0 };
  expect(await ask.missingEvents(room.roomId, query)).toEqual([]);
  const unknown = { errcode: "M_NOT_FOUND", status: 404 };
  expect(await refusal(ask.backfill("!no:room", { from, limit: 10 }))).toEqual(unknown);
  expect(await refusal(ask.missingEvents("!no:room", query))).toEqual(unknown);
});

test("history that lies side by side in the timeline is read with one range", async () => {
  const story = new Story("11");
  for (let i = 0; i < 90; i++) story.message(`m${i}`, "@alice:a.example");
  const room = await AskedRoom.of(story);
  const { ask, reads } = await asking(room.t);
  await ask.backfill(room.roomId, { from: room.ids("m89"), limit: 90 });
  expect(reads()).toBeLessThan(20);
});
