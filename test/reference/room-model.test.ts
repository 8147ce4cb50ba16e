import fc from "fast-check";
import { describe, expect, inject, test } from "vitest";
import { versions } from "../matrix/auth-rules/judge.ts";
import { generatedRoom } from "./arbitrary-room.ts";
import { ReferenceRoom } from "./room-model.ts";
import { stateText } from "./room-text.ts";
import { Story } from "./story.ts";

const alice = "@alice:a.example";
const bob = "@bob:b.example";
const carol = "@carol:c.example";
const dave = "@dave:d.example";

const start = ["create", "alice", "levels", "public", "bob", "carol"];

function extremities(story: Story, room: ReferenceRoom): (string | undefined)[] {
  return [...room.extremities()].map((id) => story.nameOf(id)).sort();
}

function timeline(story: Story, room: ReferenceRoom): (string | undefined)[] {
  return room.timeline().map((id) => story.nameOf(id));
}

describe.each(["1", "2", "6", "11", "12"])("v%s", (version) => {
  /** Alice bans Bob; beside it Bob, who is not banned there, says something; Carol's server saw both. */
  const evasion = () => {
    const story = new Story(version);
    story.member("ban", alice, "ban", { of: bob, after: ["carol"] });
    story.message("evading", bob, { after: ["carol"] });
    story.message("merging", carol, { after: ["ban", "evading"] });
    return story;
  };

  test("a quiet room: everything is accepted, and each event is built on the one before", () => {
    const story = new Story(version);
    const room = story.received();
    expect(timeline(story, room)).toEqual(start);
    expect(extremities(story, room)).toEqual(["carol"]);
    expect([...room.currentState().values()].map((id) => story.nameOf(id)).sort()).toEqual([...start].sort());
    expect(story.entry(room.stateBefore(story.event("bob").eventId), "m.room.member", bob)).toBeUndefined();
    expect(story.entry(room.stateAfter(story.event("bob").eventId), "m.room.member", bob)).toBe("bob");
  });

  test("what evades a ban is soft-failed by those who know of the ban", () => {
    const story = evasion();
    const room = story.received([...start, "ban", "evading"]);
    expect(story.outcome(room, "evading")).toBe("soft-failed");
    expect(extremities(story, room)).toEqual(["ban"]);
    expect(timeline(story, room)).toEqual([...start, "ban"]);
  });

  test("those who learn of the ban later accept it", () => {
    const story = evasion();
    const room = story.received([...start, "evading", "ban"]);
    expect(story.outcome(room, "evading")).toBe("accepted");
    expect(extremities(story, room)).toEqual(["ban", "evading"]);
    expect(timeline(story, room)).toEqual([...start, "evading", "ban"]);
  });

  test("an event on top of a soft-failed one is shown", () => {
    const story = evasion();
    const room = story.received([...start, "ban", "evading", "merging"]);
    expect(story.outcome(room, "merging")).toBe("accepted");
    expect(extremities(story, room)).toEqual(["merging"]);
    expect(timeline(story, room)).toEqual([...start, "ban", "merging"]);
  });

  test("what is below a soft-failed event that is built upon is no longer an extremity", () => {
    const story = new Story(version);
    story.member("ban", alice, "ban", { of: bob, after: ["carol"] });
    story.message("aside", carol, { after: ["carol"] });
    story.message("evading", bob, { after: ["aside"] });
    story.message("onward", carol, { after: ["evading"] });
    const room = story.received([...start, "ban", "aside", "evading"]);
    expect(extremities(story, room)).toEqual(["aside", "ban"]);
    room.receive(story.event("onward"));
    expect(extremities(story, room)).toEqual(["ban", "onward"]);
  });

  test("soft-failed state takes part in what is built on it", () => {
    const story = new Story(version);
    story.state("invite-only", alice, "m.room.join_rules", { join_rule: "invite" }, { after: ["carol"] });
    story.member("dave", dave, "join", { after: ["carol"] });
    story.message("daves", dave, { after: ["dave"] });
    const room = story.received();
    expect(story.outcome(room, "dave")).toBe("soft-failed");
    expect(story.entry(room.currentState(), "m.room.member", dave)).toBeUndefined();
    expect(story.entry(room.stateAfter(story.event("dave").eventId), "m.room.member", dave)).toBe("dave");
    // On his own branch Dave is in the room: that is no reason to reject.
    expect(story.outcome(room, "daves")).toBe("soft-failed");
  });

  test("a rejected event changes nothing, and may be built upon", () => {
    const story = new Story(version);
    story.state("refused", dave, "m.room.topic", { topic: "" });
    story.message("onward", carol, { after: ["refused"] });
    const room = story.received();
    const { eventId } = story.event("refused");
    expect(room.verdict(eventId)).toMatchObject({ outcome: "rejected", by: "auth events" });
    expect(room.stateAfter(eventId)).toEqual(room.stateBefore(eventId));
    expect(story.outcome(room, "onward")).toBe("accepted");
    expect(extremities(story, room)).toEqual(["onward"]);
    expect(timeline(story, room)).toEqual([...start, "onward"]);
  });

  test("an event with a rejected auth event is rejected", () => {
    const story = new Story(version);
    story.state("invite-only", alice, "m.room.join_rules", { join_rule: "invite" });
    story.member("dave", dave, "join");
    story.message("daves", dave, { auth: ["levels", "dave"] });
    const room = story.received();
    expect(story.outcome(room, "dave")).toBe("rejected");
    expect(room.verdict(story.event("daves").eventId)).toMatchObject({
      outcome: "rejected",
      by: "auth events",
      reason: expect.stringContaining("was rejected"),
    });
  });

  test("an event that its auth events allow and the state before it does not is rejected", () => {
    const story = new Story(version);
    story.member("ban", alice, "ban", { of: bob });
    story.message("bobs", bob, { auth: ["levels", "bob"] });
    const room = story.received();
    expect(room.verdict(story.event("bobs").eventId)).toMatchObject({
      outcome: "rejected",
      by: "state before",
    });
  });

  test("an event waits for what it refers to, and is taken in once", () => {
    const story = new Story(version);
    story.message("message", carol);
    const room = story.received(start.slice(0, -1));
    const before = [room.timeline(), room.extremities(), room.currentState()];
    expect(room.receive(story.event("message"))).toEqual({
      outcome: "missing",
      eventIds: [story.event("carol").eventId],
    });
    expect(room.has(story.event("message").eventId)).toBe(false);
    expect([room.timeline(), room.extremities(), room.currentState()]).toEqual(before);
    expect(room.receive(story.event("carol")).outcome).toBe("accepted");
    expect(room.receive(story.event("message")).outcome).toBe("accepted");
    expect(room.receive(story.event("message"))).toEqual({ outcome: "duplicate" });
  });
});

// From v12 on another create event makes another room.
test.each(versions("1", "11"))("v%s: a room has one create event", (version) => {
  const story = new Story(version);
  const { content } = story.event("create").pdu;
  story.state("another", alice, "m.room.create", { ...content, another: true }, { after: [] });
  const room = story.received();
  expect(story.outcome(room, "another")).toBe("rejected");
  expect(story.entry(room.currentState(), "m.room.create")).toBe("create");
});

describe.each(versions("1"))("redactions in v%s", (version) => {
  const users = [...start, "dave"];

  test.each<[string, sender: string, effective: boolean]>([
    ["who has the level", bob, true],
    ["of the same server", carol, true],
    ["without the level and of another server", dave, false],
  ])("by one %s, in both orders", (_, sender, effective) => {
    const story = new Story(version);
    story.member("dave", dave, "join");
    story.message("said", carol, { after: ["dave"] });
    tellRedaction(story, sender, ["dave"]);
    // Up to v2 it is for the auth rules to say.
    const outcome = story.rules.redactionAuth && !effective ? "rejected" : "accepted";
    for (const order of [
      ["said", "redaction"],
      ["redaction", "said"],
    ]) {
      const room = story.received([...users, ...order]);
      expect(story.outcome(room, "redaction")).toBe(outcome);
      expect(redactionOf(story, room)).toBe(effective ? "redaction" : undefined);
      expect(redactionOf(story, story.received([...users, order[0]!]))).toBeUndefined();
    }
  });

  test.each<[string, after: string, effective: boolean]>([
    ["after a demotion", "demotion", false],
    ["beside a demotion", "said", true],
  ])("%s, it is the power that the redaction finds that counts", (_, after, effective) => {
    const story = new Story(version);
    story.message("said", carol);
    const levels = story.rules.privilegedCreators ? {} : { [alice]: 100 };
    story.state("demotion", alice, "m.room.power_levels", { users: levels });
    tellRedaction(story, bob, [after]);
    expect(redactionOf(story, story.received())).toBe(effective ? "redaction" : undefined);
  });

  test("the first to arrive is the one that counts", () => {
    const story = new Story(version);
    story.message("said", carol);
    tellRedaction(story, bob, ["said"]);
    tellRedaction(story, alice, ["said"], "another");
    for (const [first, second] of [
      ["redaction", "another"],
      ["another", "redaction"],
    ] as const) {
      expect(redactionOf(story, story.received([...start, "said", first, second]))).toBe(first);
    }
  });

  test("the create event stays", () => {
    const story = new Story(version);
    tellRedaction(story, alice, ["carol"], "redaction", "create");
    const room = story.received();
    expect(story.outcome(room, "redaction")).toBe("accepted");
    expect(redactionOf(story, room, "create")).toBeUndefined();
  });
});

function tellRedaction(
  story: Story,
  sender: string,
  after: readonly string[],
  name = "redaction",
  target = "said",
) {
  const redacts = story.event(target).eventId;
  story.tell(name, sender, { type: "m.room.redaction", content: {}, redacts }, { after });
}

function redactionOf(story: Story, room: ReferenceRoom, target = "said"): string | undefined {
  return story.nameOf(room.redactedBy(story.event(target).eventId));
}

// Each example is a whole room, taken in three times over.
const timeout = 600 * inject("propertyRuns");

test("in rooms of all kinds, what an event finds does not hang on the order of arrival", { timeout }, () => {
  fc.assert(
    fc.property(generatedRoom, ({ rules, events, arrivals }) => {
      const [asMade, ...others] = [events, ...arrivals].map((order) => {
        const room = new ReferenceRoom(rules);
        for (const event of order) room.receive(event);
        return events.map(({ eventId }) => whatBecameOf(eventId, room));
      });
      for (const other of others) expect(other).toEqual(asMade);
    }),
  );
});

test("in rooms of all kinds, the extremities are what is shown and not built upon", { timeout }, () => {
  fc.assert(
    fc.property(generatedRoom, ({ rules, events }) => {
      const room = new ReferenceRoom(rules);
      for (const event of events) room.receive(event);
      const shown = new Set(room.timeline());
      const ancestors = new Map<string, Set<string>>();
      for (const { eventId, prev } of events) {
        ancestors.set(eventId, new Set(prev.flatMap((id) => [id, ...ancestors.get(id)!])));
      }
      const isBuiltUpon = (id: string) => [...shown].some((other) => ancestors.get(other)!.has(id));
      expect(room.extremities()).toEqual(new Set([...shown].filter((id) => !isBuiltUpon(id))));
    }),
    { numRuns: 30 },
  );
});

/** All of it that no server should see differently. */
function whatBecameOf(eventId: string, room: ReferenceRoom): string {
  return JSON.stringify({
    before: stateText(room.stateBefore(eventId)),
    after: stateText(room.stateAfter(eventId)),
    isRejected: room.verdict(eventId).outcome === "rejected",
    isRedacted: room.redactedBy(eventId) !== undefined,
  });
}
