import fc from "fast-check";
import { describe, expect, inject, test } from "vitest";
import type { JsonObject } from "../../../../src/matrix/json.ts";
import { json } from "../../support/room.ts";
import { dump, logAfter } from "../../support/storage.ts";
import { opening, ToldRoom } from "./told-room.ts";

const alice = "@alice:a.example";
const bob = "@bob:b.example";

/** m1 to m9 after what every told room begins with, one after the other; m4 is a topic. */
async function told(version: string, called?: string): Promise<ToldRoom> {
  const room = await ToldRoom.open(version, called);
  for (let i = 1; i <= 9; i++) {
    if (i === 4) room.story.state("m4", alice, "m.room.topic", { topic: "t" });
    else room.story.message(`m${i}`, i % 2 === 0 ? alice : "@carol:c.example");
  }
  return room;
}

const upTo = (last: number, first = 1) => Array.from({ length: last - first + 1 }, (_, i) => `m${first + i}`);

async function gapsOf(room: ToldRoom): Promise<string[][]> {
  const { gaps } = await dump(room.server.storage);
  return gaps!.map(([, row]) => (row as { missing: string[] }).missing.map((id) => room.story.nameOf(id)!));
}

describe.each(["1", "6", "11", "12"])("history in room version %s", (version) => {
  test("a gap in the midst of the timeline is filled where it is, and closed", async () => {
    const room = await told(version);
    await room.receive(["m1", "m2"]);
    await room.receive(["m4"], { as: "outlier" });
    const state = [...opening, "m4"];
    expect(await room.outcomes(["m7"], { statesBefore: { m7: state } })).toEqual(["accepted"]);
    expect(await room.outcomes(["m8"])).toEqual(["accepted"]);
    const before = await room.log();

    // The newest first, as they come from other servers.
    expect(await room.outcomes(["m6", "m5", "m4", "m3"], { as: "history" })).toEqual([
      "accepted",
      "accepted",
      "accepted",
      "accepted",
    ]);
    for (const view of [room, await room.reopened()]) {
      expect(await view.told()).toEqual(upTo(8));
      expect(await view.stored("m7")).toMatchObject({ afterGap: false });
      expect(await view.entry("m.room.topic")).toBe("m4");
    }
    expect(await gapsOf(room)).toEqual([]);
    expect((await room.log()).filter((entry) => !entry.startsWith("history "))).toEqual(before);
  });

  test("two backfills, one after the other, go in front of what was there", async () => {
    const room = await ToldRoom.of(version);
    const { story } = room;
    for (let i = 1; i <= 9; i++) story.message(`m${i}`, i % 2 === 0 ? alice : bob);
    story.member("dave", "@dave:d.example", "join");
    expect((await room.takeIn("dave", opening, [])).outcome).toBe("accepted");
    expect(await room.timeline()).toEqual(["dave"]);

    const known = { as: "history", statesBefore: { m6: opening } } as const;
    expect(new Set(await room.outcomes(["m9", "m8", "m7", "m6"], known))).toEqual(new Set(["accepted"]));
    expect(await room.timeline()).toEqual([...upTo(9, 6), "dave"]);
    expect(await gapsOf(room)).toEqual([["m5"]]);
    const more = { as: "history", statesBefore: { m2: opening } } as const;
    expect(new Set(await room.outcomes(["m4", "m5", "m3", "m2"], more))).toEqual(new Set(["accepted"]));
    expect(await room.timeline()).toEqual([...upTo(9, 2), "dave"]);
    // The rest one by one, the oldest of all being where the room began.
    expect(await room.outcomes(["m1"], { as: "history", statesBefore: { m1: opening } })).toEqual([
      "accepted",
    ]);
    const beginning = await room.outcomes(opening.toReversed(), { as: "history" });
    expect(new Set(beginning)).toEqual(new Set(["accepted"]));
    for (const view of [room, await room.reopened()]) {
      expect(await view.timeline()).toEqual([...opening, ...upTo(9), "dave"]);
    }
    expect(await gapsOf(room)).toEqual([]);
    expect(await room.extremities()).toEqual(["dave"]);
  });

  test("what comes live and is from before something known is history, with all that leads to it", async () => {
    const room = await told(version);
    await room.receive(["m1", "m2"]);
    expect(await room.outcomes(["m7"], { statesBefore: { m7: opening } })).toEqual(["accepted"]);
    const before = await room.log();
    expect(new Set(await room.outcomes(["m3", "m4", "m5", "m6"]))).toEqual(new Set(["accepted"]));
    expect(await room.told()).toEqual(upTo(7));
    const found = ["m3", "m4", "m5", "m6"].map((name) => `history ${name}`);
    expect(await room.log()).toEqual([...before, ...found]);
    expect(await room.extremities()).not.toContain("m3");
    expect(await room.outcomes(["m8", "m9"])).toEqual(["accepted", "accepted"]);
    expect(await room.told()).toEqual(upTo(9));
  });

  test("a gap is no gap any more once what was missing has been refused", async () => {
    const room = await told(version);
    const { story } = room;
    story.state("forbidden", "@carol:c.example", "m.room.topic", { topic: "t" }, { after: ["carol"] });
    story.message("above", alice, { after: ["forbidden"] });
    expect(await room.outcomes(["above"], { statesBefore: { above: opening } })).toEqual(["accepted"]);
    expect(await gapsOf(room)).toEqual([["forbidden"]]);
    expect(await room.outcomes(["forbidden"], { as: "history" })).toEqual(["rejected"]);
    expect(await gapsOf(room)).toEqual([]);
    expect(await room.stored("above")).toMatchObject({ afterGap: false });
  });
});

test("clients read history in its place, and their tokens stay good", async () => {
  const room = await told("11", "b.example");
  const { rooms, storage } = room.server;
  const requester = room.server.user("bob");
  await room.receive(["m1", "m2"]);
  await room.receive(["m4"], { as: "outlier" });
  await room.receive(["m7"], { statesBefore: { m7: [...opening, "m4"] } });
  await room.receive(["m8", "m9"]);
  const { position } = storage;
  const page = async (dir: "b" | "f", limit: number, from?: string) => {
    const answer: JsonObject = json(
      await rooms.messages(requester, room.roomId, { dir, limit, filter: {}, ...(from && { from }) }),
    );
    const chunk = answer.chunk as { event_id: string }[];
    return {
      names: chunk.map(({ event_id }) => room.story.nameOf(event_id)!),
      end: answer.end as string | undefined,
    };
  };
  const first = await page("b", 3);
  expect(first.names).toEqual(["m9", "m8", "m7"]);
  await room.receive(["m6", "m5", "m4", "m3"], { as: "history" });

  expect((await page("b", 3, first.end)).names).toEqual(["m6", "m5", "m4"]);
  const backward: string[] = [];
  for (let from: string | undefined = `h${position}`; from !== undefined; ) {
    const { names, end } = await page("b", 2, from);
    backward.push(...names);
    from = end;
  }
  expect(backward).toEqual([...opening, ...upTo(9)].reverse());
  const forward: string[] = [];
  for (let from: string | undefined = "h0"; from !== undefined; ) {
    const { names, end } = await page("f", 2, from);
    forward.push(...names);
    from = end;
  }
  expect(forward).toEqual([...opening, ...upTo(9)]);
  // Of the log's readers only those are told who keep all of the history.
  expect(new Set((await logAfter(storage, position)).map(({ topic }) => topic))).toEqual(
    new Set(["history"]),
  );
  expect(
    (await rooms.timeline(await room.nid(), { after: 0, upTo: position, limit: 50 })).events.length,
  ).toBe(opening.length + 9);
});

test("property: however history is cut up, and whichever way round, it comes to lie in order", async () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 9, maxLength: 9 });
  const shuffles = fc.array(fc.shuffledSubarray([0, 1, 2, 3, 4, 5, 6, 7, 8], { minLength: 9 }), {
    minLength: 9,
    maxLength: 9,
  });
  await fc.assert(
    fc.asyncProperty(sizes, shuffles, fc.constantFrom("1", "11"), async (parts, orders, version) => {
      const room = await ToldRoom.of(version);
      const { story } = room;
      for (let i = 1; i <= 9; i++) story.message(`m${i}`, i % 2 === 0 ? alice : bob);
      story.member("dave", "@dave:d.example", "join");
      await room.takeIn("dave", opening, []);
      for (let last = 9, part = 0; last > 0; part++) {
        const first = Math.max(1, last - parts[part]! + 1);
        const names = upTo(last, first);
        const batch = orders[part]!.filter((i) => i < names.length).map((i) => names[i]!);
        await room.receive(batch, { as: "history", statesBefore: { [`m${first}`]: opening } });
        expect(await room.timeline()).toEqual([...upTo(9, first), "dave"]);
        last = first - 1;
      }
    }),
    { numRuns: Math.ceil(inject("propertyRuns") / 4) },
  );
});
