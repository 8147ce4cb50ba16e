import fc from "fast-check";
import { describe, expect, inject, test } from "vitest";
import { diesAfterNextUnit } from "../../support/rounds.ts";
import { dump } from "../../support/storage.ts";
import { opening, ToldRoom } from "./told-room.ts";

const dave = "@dave:d.example";

describe.each(["1", "6", "11", "12"])("auth events that nobody could give, in room version %s", (version) => {
  /** Dave may come in only by an invite, which bob may give only by the levels that were raised. */
  async function chain(): Promise<ToldRoom> {
    const room = await ToldRoom.open(version);
    const { story } = room;
    story.state("closed", "@alice:a.example", "m.room.join_rules", { join_rule: "invite" });
    story.state("raised", "@alice:a.example", "m.room.power_levels", {
      users: {
        ...(version !== "12" && { "@alice:a.example": 100 }),
        "@bob:b.example": 50,
        "@carol:c.example": 50,
      },
      invite: 50,
    });
    story.member("invite", "@carol:c.example", "invite", { of: dave });
    story.member("dave", dave, "join");
    story.message("hello", dave);
    await room.receive(["closed"]);
    return room;
  }

  test("what cites them is rejected, with all that rests on it, and allowed once they come", async () => {
    const room = await chain();
    const state = { statesBefore: { invite: [...opening, "closed"] } };
    expect(await room.verdict("invite", { unobtainable: ["raised"], ...state })).toMatchObject({
      outcome: "rejected",
      reason: expect.stringContaining(room.id("raised")),
    });
    expect(await room.outcomes(["dave", "hello"], { unobtainable: ["raised"] })).toEqual([
      "rejected",
      "rejected",
    ]);
    expect(await room.told()).toEqual(["closed"]);
    expect(await room.entry("m.room.member", dave)).toBeUndefined();

    expect(await room.outcomes(["raised"])).toEqual(["accepted"]);
    for (const view of [room, await room.reopened()]) {
      expect(await view.told()).toEqual(["closed", "raised", "invite", "dave", "hello"]);
      expect(await view.entry("m.room.member", dave)).toBe("dave");
      expect(await view.extremities()).toEqual(["hello"]);
    }
    expect(await room.server.rooms.usersIn(await room.nid(), "join")).toContain(dave);
    expect((await dump(room.server.storage)).awaited).toEqual([]);
  });

  test("also by the next leader", async () => {
    const room = await chain();
    await room.receive(["invite", "dave", "hello"], {
      unobtainable: ["raised"],
      statesBefore: { invite: [...opening, "closed"] },
    });
    const next = await room.reopened();
    expect(await next.outcomes(["raised"])).toEqual(["accepted"]);
    expect(await next.told()).toEqual(["closed", "raised", "invite", "dave", "hello"]);
  });

  test("who dies in between and is sent the event again makes it good", async () => {
    const room = await chain();
    await room.receive(["invite", "dave", "hello"], {
      unobtainable: ["raised"],
      statesBefore: { invite: [...opening, "closed"] },
    });
    const { storage } = room.server;
    const died = diesAfterNextUnit(storage);
    void room.receive(["raised"]);
    await died;
    const next = await room.reopened();
    expect(await next.outcomes(["raised"])).toEqual(["duplicate"]);
    expect(await next.told()).toEqual(["closed", "raised", "invite", "dave", "hello"]);
  });

  test("what was rejected once is rejected for something else, if that is so", async () => {
    const room = await chain();
    const { story } = room;
    story.state("topic", dave, "m.room.topic", { topic: "t" });
    await room.receive(["invite", "dave", "hello", "topic"], {
      unobtainable: ["raised"],
      statesBefore: { invite: [...opening, "closed"] },
    });
    await room.receive(["raised"]);
    expect(await room.told()).toEqual(["closed", "raised", "invite", "dave", "hello"]);
    expect(await room.stored("topic")).toMatchObject({ status: 1 });
    expect((await dump(room.server.storage)).awaited).toEqual([]);
  });

  test("what the room's present state does not allow is soft-failed when it is judged again", async () => {
    const room = await chain();
    const { story } = room;
    await room.receive(["invite", "dave", "hello"], {
      unobtainable: ["raised"],
      statesBefore: { invite: [...opening, "closed"] },
    });
    // The room goes on without carol.
    story.member("kick", "@alice:a.example", "leave", { of: "@carol:c.example", after: ["closed"] });
    expect(await room.outcomes(["kick"])).toEqual(["accepted"]);
    expect(await room.outcomes(["raised"])).toEqual(["accepted"]);
    expect(await room.stored("invite")).toMatchObject({ status: 2 });
    expect(await room.stored("dave")).toMatchObject({ status: 2 });
    expect(await room.told()).toEqual(["closed", "kick", "raised"]);
    expect(await room.extremities()).toEqual(["kick", "raised"]);
  });

  test("what others have been built upon is no end of the room, though it comes into the timeline", async () => {
    const room = await chain();
    const { story } = room;
    await room.receive(["invite"], {
      unobtainable: ["raised"],
      statesBefore: { invite: [...opening, "closed"] },
    });
    story.message("above", "@bob:b.example", {
      after: ["invite"],
      auth: ["levels", "bob"],
    });
    expect(await room.outcomes(["above"])).toEqual(["accepted"]);
    await room.receive(["raised"]);
    expect(await room.told()).toEqual(["closed", "above", "raised", "invite"]);
    expect(await room.extremities()).toEqual(["above", "raised"]);
  });

  test("a redaction on top of what it redacts waits for that as both", async () => {
    const room = await chain();
    const { story } = room;
    await room.receive(["invite"], {
      unobtainable: ["raised"],
      statesBefore: { invite: [...opening, "closed"] },
    });
    story.tell(
      "redaction",
      "@alice:a.example",
      { type: "m.room.redaction", content: {}, redacts: room.id("invite") },
      { after: ["invite"], auth: ["levels", "alice"] },
    );
    expect(await room.outcomes(["redaction"])).toEqual(["accepted"]);
    await room.receive(["raised"]);
    expect(await room.stored("invite")).toMatchObject({ status: 0, redactedBy: room.id("redaction") });
    expect(await room.extremities()).toEqual(["raised", "redaction"]);
  });

  test("that several came for, once", async () => {
    const room = await ToldRoom.open(version);
    const { story } = room;
    const alice = "@alice:a.example";
    story.message("lost", alice);
    story.state("levels2", alice, "m.room.power_levels", {
      users: { ...(version !== "12" && { [alice]: 100 }), "@carol:c.example": 50, "@bob:b.example": 50 },
    });
    story.member("invite", "@bob:b.example", "invite", { of: dave, auth: ["levels2", "bob", "public"] });
    story.member("raise", "@carol:c.example", "join", { auth: ["levels2", "carol", "public"] });
    story.member("kick", "@carol:c.example", "leave", { of: dave, auth: ["levels2", "raise", "invite"] });
    await room.receive(["invite", "raise", "kick"], {
      unobtainable: ["levels2"],
      statesBefore: { invite: opening },
    });
    expect(await room.told()).toEqual([]);
    await room.receive(["lost", "levels2"]);
    expect(await room.told()).toEqual(["lost", "levels2", "invite", "raise", "kick"]);
    expect(await room.extremities()).toEqual(["kick"]);
  });
});

test("property: of several that are missing, the last to come decides, in whatever order", async () => {
  const names = ["join", "levels2", "rule"];
  await fc.assert(
    fc.asyncProperty(
      fc.shuffledSubarray(names, { minLength: 3 }),
      fc.array(fc.boolean(), { minLength: 3, maxLength: 3 }),
      fc.constantFrom("1", "6", "11", "12"),
      async (order, reopen, version) => {
        let room = await ToldRoom.open(version);
        const { story } = room;
        const alice = "@alice:a.example";
        const levels = version !== "12" ? { [alice]: 100 } : {};
        // Each beside the others, so that they can come in any order.
        story.member("join", "@bob:b.example", "join", { after: ["carol"] });
        story.state(
          "levels2",
          alice,
          "m.room.power_levels",
          { users: { ...levels, "@bob:b.example": 50 }, kick: 50 },
          { after: ["carol"] },
        );
        story.state("rule", alice, "m.room.join_rules", { join_rule: "invite" }, { after: ["carol"] });
        story.member("invite", "@bob:b.example", "invite", {
          of: dave,
          after: names,
          auth: ["join", "levels2", "rule"],
        });
        story.member("dave", dave, "join", { auth: ["levels2", "rule", "invite"] });
        const told = { unobtainable: names, statesBefore: { invite: opening } };
        await room.receive(["invite", "dave"], told);
        for (const [i, name] of order.entries()) {
          const rejected = await Promise.all(["invite", "dave"].map((one) => room.stored(one)));
          expect(rejected.map((event) => event?.status)).toEqual([1, 1]);
          if (reopen[i]) room = await room.reopened();
          expect(await room.outcomes([name])).toEqual(["accepted"]);
        }
        expect(await room.told()).toEqual([...order, "invite", "dave"]);
        expect(await room.extremities()).toEqual(["dave"]);
        expect(await room.entry("m.room.member", dave)).toBe("dave");
        expect((await dump(room.server.storage)).awaited).toEqual([]);
      },
    ),
    { numRuns: Math.ceil(inject("propertyRuns") / 4) },
  );
});
