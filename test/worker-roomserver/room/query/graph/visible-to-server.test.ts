import fc from "fast-check";
import { describe, expect, inject, test } from "vitest";
import { domainOf } from "../../../../../src/matrix/domain.ts";
import { type RefEvent, type RefState, stateKey } from "../../../../reference/events.ts";
import type { ReferenceRoom } from "../../../../reference/room-model.ts";
import { Story } from "../../../../reference/story.ts";
import { refusal } from "../../../support/requester.ts";
import { AskedRoom, asking } from "./asked-room.ts";

const alice = "@alice:a.example";
const dave = "@dave:d.example";
const settings = ["world_readable", "shared", "invited", "joined"] as const;

const setVisibility = (story: Story, name: string, setting: unknown, after?: string) =>
  story.state(
    name,
    alice,
    "m.room.history_visibility",
    { history_visibility: setting as string },
    after === undefined ? {} : { after: [after] },
  );

/** The names of those of the events that the server may see. */
async function seen(room: AskedRoom, serverName: string, names = room.story.names): Promise<string[]> {
  const ask = await room.ask();
  const views = await ask.visibleToServer(room.roomId, serverName, room.ids(...names));
  expect(room.names(views.map(({ event }) => event))).toEqual(names);
  return names.filter((_, i) => views[i]?.isVisible);
}

/** Dave's life in the room, with something said at each stage of it. */
function daveComesAndGoes(setting: unknown): Story {
  const story = new Story("11");
  setVisibility(story, "setting", setting);
  story.message("early", alice);
  story.member("invite", alice, "invite", { of: dave });
  story.message("invited", alice);
  story.member("join", dave, "join");
  story.message("joined", alice);
  return story;
}

const stages = ["early", "invite", "invited", "join", "joined"];

describe("a server with somebody in the room", () => {
  test.each<[setting: unknown, names: string[]]>([
    ["world_readable", stages],
    ["shared", stages],
    ["invited", ["invite", "invited", "join", "joined"]],
    ["joined", ["join", "joined"]],
    ["odd", stages],
    [1, stages],
  ])("sees with %j", async (setting, names) => {
    const room = await AskedRoom.of(daveComesAndGoes(setting));
    expect(await seen(room, "d.example", stages)).toEqual(names);
    expect(await seen(room, "c.example", stages)).toEqual(stages);
  });

  test("goes on seeing what was said while its user who has left was joined", async () => {
    const story = daveComesAndGoes("joined");
    story.member("leave", dave, "leave");
    story.message("between", alice);
    story.member("erin", "@erin:d.example", "join");
    story.message("late", alice);
    const room = await AskedRoom.of(story);
    const names = [...stages, "leave", "between", "erin", "late"];
    expect(await seen(room, "d.example", names)).toEqual(["join", "joined", "leave", "erin", "late"]);
  });
});

describe("a server with nobody in the room", () => {
  test.each<[setting: string, names: string[]]>([
    ["world_readable", [...stages, "leave", "late"]],
    ["shared", [...stages, "leave"]],
    ["invited", ["invite", "invited", "join", "joined", "leave"]],
    ["joined", ["join", "joined", "leave"]],
  ])("who was there sees with %j", async (setting, names) => {
    const story = daveComesAndGoes(setting);
    story.member("leave", dave, "leave");
    story.message("late", alice);
    const room = await AskedRoom.of(story);
    expect(await seen(room, "d.example", [...stages, "leave", "late"])).toEqual(names);
  });

  test.each(settings)("who never was there sees with %j all or nothing", async (setting) => {
    const room = await AskedRoom.of(daveComesAndGoes(setting));
    const expected = setting === "world_readable" ? stages : [];
    expect(await seen(room, "never.example", stages)).toEqual(expected);
    // Part of another server's name is none.
    expect(await seen(room, "example", stages)).toEqual(expected);
    expect(await seen(room, "", stages)).toEqual(expected);
  });

  test("and an invite alone lets it see what invited users may", async () => {
    const story = daveComesAndGoes("invited");
    story.member("kick", alice, "leave", { of: dave });
    const [room, uninvited] = [await AskedRoom.of(story, story.names.slice(0, -3)), "never.example"];
    expect(await seen(room, "d.example", ["early", "invite", "invited"])).toEqual(["invite", "invited"]);
    expect(await seen(room, uninvited, ["early", "invite", "invited"])).toEqual([]);
  });
});

test("whose invite was declined has never been in the room", async () => {
  const story = daveComesAndGoes("shared");
  story.member("declined", dave, "leave", { after: ["invited"] });
  const names = ["early", "invite", "invited"];
  const room = await AskedRoom.of(story, [...story.names.slice(0, -3), "declined"]);
  expect(await seen(room, "d.example", names)).toEqual([]);
});

test("a change that lets invited users see is seen by them, and what was said right before it is not", async () => {
  const story = new Story("11");
  setVisibility(story, "setting", "joined");
  story.member("invite", alice, "invite", { of: dave });
  story.message("private", alice);
  setVisibility(story, "opened", "invited");
  const room = await AskedRoom.of(story);
  expect(await seen(room, "d.example", ["private", "opened"])).toEqual(["opened"]);
  expect(await seen(room, "d.example", ["opened", "private"])).toEqual(["opened"]);
});

test("a change of the setting is seen by whom either setting lets see it", async () => {
  const story = new Story("11");
  setVisibility(story, "closed", "joined");
  story.message("private", alice);
  setVisibility(story, "opened", "world_readable");
  story.message("open", alice);
  setVisibility(story, "closed again", "joined");
  const names = ["private", "opened", "open", "closed again"];
  const room = await AskedRoom.of(story);
  expect(await seen(room, "never.example", names)).toEqual(["opened", "open", "closed again"]);
});

test("what is rejected opens nothing", async () => {
  const story = new Story("11");
  setVisibility(story, "setting", "joined");
  story.state("rejected setting", "@carol:c.example", "m.room.history_visibility", {
    history_visibility: "world_readable",
  });
  story.state("rule", alice, "m.room.join_rules", { join_rule: "invite" });
  story.member("rejected join", dave, "join");
  const room = await AskedRoom.of(story);
  expect(await seen(room, "d.example", ["rejected setting", "rejected join"])).toEqual([]);
});

test("soft-failed events count as sent when they were, not before all", async () => {
  const story = daveComesAndGoes("shared");
  story.member("leave", dave, "leave");
  story.member("ban", alice, "ban", { of: "@carol:c.example" });
  story.message("soft-failed", "@carol:c.example", { after: ["leave"] });
  const room = await AskedRoom.of(story);
  expect(await seen(room, "d.example", ["soft-failed"])).toEqual([]);
  expect(await seen(room, "b.example", ["soft-failed"])).toEqual(["soft-failed"]);
});

test("outliers are seen by all, as the state at them is not known", async () => {
  const story = daveComesAndGoes("joined");
  const room = await AskedRoom.of(story, story.names.slice(0, -1));
  await room.takeIn(["joined"], { as: "outlier" });
  expect(await seen(room, "never.example", ["joined"])).toEqual(["joined"]);
});

test("what is not known in the room is left out, and a room that is not known is none", async () => {
  const room = await AskedRoom.of(daveComesAndGoes("shared"));
  const ask = await room.ask();
  const views = await ask.visibleToServer(room.roomId, "d.example", ["$unknown", room.id("joined")]);
  expect(views.map(({ event }) => event.eventId)).toEqual(room.ids("joined"));
  expect(await refusal(ask.visibleToServer("!no:room", "d.example", []))).toEqual({
    errcode: "M_NOT_FOUND",
    status: 404,
  });
});

test("a hundred events in a room of many cost few reads, whether the server sees them or not", async () => {
  const story = new Story("11");
  setVisibility(story, "setting", "joined");
  for (let i = 0; i < 200; i++) story.member(`m${i}`, `@m${i}:many.example`, "join");
  for (let i = 0; i < 100; i++) story.message(`s${i}`, alice);
  story.member("join", dave, "join");
  const room = await AskedRoom.of(story);
  const names = Array.from({ length: 100 }, (_, i) => `s${i}`);
  for (const [server, visible] of [
    ["many.example", 100],
    ["d.example", 0],
  ] as const) {
    const { ask, reads } = await asking(room.t);
    await ask.eventsById(room.ids(...names));
    const before = reads();
    const views = await ask.visibleToServer(room.roomId, server, room.ids(...names));
    expect(views.filter(({ isVisible }) => isVisible).length).toBe(visible);
    expect(reads() - before).toBeLessThan(60);
  }
});

/** What a user of one of the servers does next; forks where `back` is not 0. */
type Step = {
  kind: "message" | "join" | "leave" | "invite" | "setting";
  user: number;
  value: number;
  back: number;
};

const users = ["@u0:s0.example", "@u1:s1.example", "@u2:s0.example", "@u3:s1.example", "@u4:s2.example"];
const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom("message", "join", "join", "leave", "invite", "setting", "setting"),
  user: fc.nat({ max: users.length - 1 }),
  value: fc.nat({ max: settings.length - 1 }),
  back: fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat({ max: 5 }) }),
});

function told(steps: readonly Step[]): Story {
  const story = new Story("11");
  for (const [number, { kind, user, value, back }] of steps.entries()) {
    const name = `${number} ${kind}`;
    const after = [story.names.at(-1 - back)!];
    const userId = users[user]!;
    if (kind === "message") story.message(name, alice, { after });
    else if (kind === "setting") setVisibility(story, name, settings[value], after[0]);
    else if (kind === "invite") story.member(name, alice, "invite", { of: userId, after });
    else story.member(name, userId, kind, { after });
  }
  return story;
}

/** The rules of the specification, user by user, for a server that has somebody in the room. */
function maySee(reference: ReferenceRoom, event: RefEvent, serverName: string): boolean {
  const isRejected = reference.verdict(event.eventId).outcome === "rejected";
  const around = [reference.stateBefore(event.eventId), reference.stateAfter(event.eventId)];
  const content = (state: RefState, type: string, key: string) => {
    const id = state.get(stateKey(type, key));
    return id === undefined ? {} : reference.event(id).pdu.content;
  };
  const isIts = (type: string, key: string) =>
    event.pdu.type === type && event.pdu.state_key === key && !isRejected;
  const settingsAt = around
    .slice(0, isIts("m.room.history_visibility", "") ? 2 : 1)
    .map((state) => content(state, "m.room.history_visibility", "").history_visibility ?? "shared");
  return users
    .filter((userId) => domainOf(userId) === serverName)
    .some((userId) => {
      const membershipsAt = around
        .slice(0, isIts("m.room.member", userId) ? 2 : 1)
        .map((state) => content(state, "m.room.member", userId).membership);
      return settingsAt.some((setting) => {
        if (setting === "world_readable" || setting === "shared" || membershipsAt.includes("join"))
          return true;
        return setting === "invited" && membershipsAt.includes("invite");
      });
    });
}

const runs = Math.ceil(inject("roomRuns") / 2);

test("property: a server sees what any of its users may", { timeout: 2_000 * runs }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30, size: "max" }), async (steps) => {
      const story = told(steps);
      const reference = story.received();
      const room = await AskedRoom.of(story);
      const ask = await room.ask();
      for (const serverName of await ask.serversIn(room.roomId)) {
        if (!serverName.startsWith("s")) continue;
        const views = await ask.visibleToServer(room.roomId, serverName, room.ids(...story.names));
        for (const { event, isVisible } of views) {
          expect(isVisible, `${story.nameOf(event.eventId)} for ${serverName}`).toBe(
            maySee(reference, reference.event(event.eventId), serverName),
          );
        }
      }
    }),
    { numRuns: runs },
  );
});
