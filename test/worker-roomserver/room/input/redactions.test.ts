import { describe, expect, test } from "vitest";
import { dump } from "../../support/storage.ts";
import { opening, ToldRoom } from "./told-room.ts";

const alice = "@alice:a.example";
const bob = "@bob:b.example";
const carol = "@carol:c.example";

function tellRedaction(
  room: ToldRoom,
  name: string,
  sender: string,
  target: string,
  circumstances: { after?: readonly string[]; auth?: readonly string[] } = {},
): void {
  const intent = { type: "m.room.redaction", content: {}, redacts: room.id(target) };
  room.story.tell(name, sender, intent, circumstances);
}

describe.each(["1", "6", "11", "12"])("redactions in room version %s", (version) => {
  const orders = [
    { order: "after their target", names: (all: string[]) => all },
    { order: "before it", names: (all: string[]) => [...all.slice(1), all[0]!] },
  ];

  describe.each(orders)("that come $order", ({ names }) => {
    async function redacted(of: string, by: string): Promise<string | undefined> {
      const room = await ToldRoom.open(version);
      room.story.message("target", of, { after: ["carol"] });
      tellRedaction(room, "redaction", by, "target", { after: ["carol"] });
      const all = names(["target", "redaction"]);
      const outcomes = await room.outcomes([all[0]!]);
      outcomes.push(...(await room.outcomes([all[1]!])));
      const effects: (string | undefined)[] = [];
      for (const view of [room, await room.reopened()]) {
        const target = (await view.stored("target"))!;
        expect(target.redactedBy === "" ? { body: "target" } : {}).toEqual(target.pdu.content);
        effects.push(room.story.nameOf(target.redactedBy));
      }
      expect(effects[1]).toBe(effects[0]);
      if (outcomes.includes("rejected")) expect(effects[0]).toBeUndefined();
      return effects[0];
    }

    test("take effect by whoever may redact", async () => {
      expect(await redacted(carol, bob)).toBe("redaction");
      expect(await redacted(bob, alice)).toBe("redaction");
    });

    test("take effect on what is of the same server", async () => {
      expect(await redacted(carol, carol)).toBe("redaction");
    });

    test("do nothing by who may not", async () => {
      // Up to version 2 the ids say of which servers the events are.
      expect(await redacted(alice, carol)).toBeUndefined();
    });
  });

  test("the first of several to come that takes effect counts", async () => {
    const room = await ToldRoom.open(version);
    room.story.message("target", alice, { after: ["carol"] });
    for (const [name, sender] of [
      ["powerless", carol],
      ["first", bob],
      ["second", alice],
    ] as const) {
      tellRedaction(room, name, sender, "target", { after: ["carol"] });
    }
    await room.receive(["powerless", "second", "first"]);
    await room.receive(["target"]);
    expect((await room.stored("target"))!.redactedBy).toBe(room.id("second"));
    expect((await dump(room.server.storage)).awaited).toEqual([]);
  });

  test("one that was soft-failed takes effect all the same", async () => {
    const room = await ToldRoom.open(version);
    const { story } = room;
    story.message("target", bob, { after: ["carol"] });
    story.member("ban", alice, "ban", { of: bob, after: ["target"] });
    tellRedaction(room, "redaction", bob, "target", { after: ["target"] });
    expect(await room.outcomes(["target", "ban", "redaction"])).toEqual([
      "accepted",
      "accepted",
      "soft-failed",
    ]);
    expect((await room.stored("target"))!.redactedBy).toBe(room.id("redaction"));
    expect((await room.stored("target"))!.pdu.content).toEqual({});
  });

  test("what was rejected is redacted once it is allowed", async () => {
    const room = await ToldRoom.open(version);
    const { story } = room;
    story.state("raised", alice, "m.room.power_levels", {
      users: { ...(version !== "12" && { [alice]: 100 }), [bob]: 50, [carol]: 50 },
    });
    story.state("target", carol, "m.room.topic", { topic: "t" });
    tellRedaction(room, "redaction", alice, "target", { after: ["carol"] });
    await room.receive(["target"], { unobtainable: ["raised"], statesBefore: { target: opening } });
    await room.receive(["redaction"]);
    expect(await room.stored("target")).toMatchObject({ status: 1, redactedBy: "" });
    await room.receive(["raised"]);
    expect(await room.stored("target")).toMatchObject({ status: 0, redactedBy: room.id("redaction") });
    expect((await room.stored("target"))!.pdu.content).toEqual({});
    expect(await room.entry("m.room.topic")).toBe("target");
  });

  test("an outlier is redacted, and stays so when it takes its place", async () => {
    const room = await ToldRoom.open(version);
    const { story } = room;
    story.state("target", alice, "m.room.topic", { topic: "t" });
    tellRedaction(room, "redaction", alice, "target", { after: ["carol"] });
    tellRedaction(room, "another", bob, "target", { after: ["carol"] });
    await room.receive(["target"], { as: "outlier" });
    await room.receive(["redaction", "another"]);
    const redacted = { redactedBy: room.id("redaction") };
    expect(await room.stored("target")).toMatchObject({ ...redacted, isOutlier: true });
    expect(await room.outcomes(["target"])).toEqual(["accepted"]);
    for (const view of [room, await room.reopened()]) {
      expect(await view.stored("target")).toMatchObject({ ...redacted, isOutlier: false });
      expect((await view.stored("target"))!.pdu.content).toEqual({});
      expect(await view.entry("m.room.topic")).toBe("target");
    }
  });

  test("a redacted outlier that is told again in full stays redacted", async () => {
    const room = await ToldRoom.open(version);
    room.story.message("target", alice);
    tellRedaction(room, "redaction", alice, "target", { after: ["carol"] });
    await room.receive(["redaction"]);
    await room.receive(["target"], { as: "outlier" });
    await room.receive(["target"]);
    const { events } = await dump(room.server.storage);
    expect(JSON.stringify(events)).not.toContain('\\"body\\":\\"target\\"');
  });

  test("what it related to is no longer found by it", async () => {
    const room = await ToldRoom.open(version);
    const { story } = room;
    story.message("root", alice);
    const relates = { "m.relates_to": { rel_type: "m.thread", event_id: story.event("root").eventId } };
    story.tell("reply", bob, { type: "m.room.message", content: { body: "reply", ...relates } });
    story.tell("early", bob, { type: "m.room.message", content: { body: "early", ...relates } });
    tellRedaction(room, "redaction", bob, "reply");
    tellRedaction(room, "before", bob, "early", { after: ["root"] });
    await room.receive(["root", "reply", "before"]);
    expect((await dump(room.server.storage)).relations!.length).toBe(1);
    await room.receive(["early", "redaction"]);
    expect((await dump(room.server.storage)).relations).toEqual([]);
  });

  test("what was said before is not told by what took its place", async () => {
    const room = await ToldRoom.open(version, "b.example");
    const { story } = room;
    story.state("secret", alice, "m.room.topic", { topic: "secret" });
    story.state("harmless", alice, "m.room.topic", { topic: "harmless" });
    await room.receive(["secret", "harmless"]);
    await room.stored("harmless");
    tellRedaction(room, "redaction", alice, "secret");
    await room.receive(["redaction"]);
    for (const view of [room, await room.reopened()]) {
      expect((await view.stored("harmless"))!.replaced?.content).toEqual({});
    }
  });
});

test("redacted power levels go on to count as they were sent", async () => {
  // Up to version 10 a redaction takes the level to invite away, which is then 0 for all.
  const room = await ToldRoom.open("10");
  const { story } = room;
  story.state("strict", alice, "m.room.power_levels", { users: { [alice]: 100, [bob]: 50 }, invite: 50 });
  story.member("early", carol, "invite", { of: "@dave:d.example" });
  tellRedaction(room, "redaction", alice, "strict", { after: ["strict"] });
  story.member("late", carol, "invite", { of: "@dave:d.example", after: ["redaction"] });
  story.member("allowed", bob, "invite", { of: "@dave:d.example", after: ["redaction"] });
  await room.receive(["strict", "redaction"]);
  expect((await room.stored("strict"))!.pdu.content).not.toHaveProperty("invite");
  expect((await room.stored("strict"))!.authPdu!.content).toMatchObject({ invite: 50 });
  for (const view of [room, await room.reopened()]) {
    expect(await view.outcomes(["early", "late"])).toEqual(["rejected", "rejected"]);
  }
  expect(await room.outcomes(["allowed"])).toEqual(["accepted"]);
});
