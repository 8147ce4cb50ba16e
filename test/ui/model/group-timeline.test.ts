import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { groupTimeline, type TimelineItem } from "../../../src/ui/model/group-timeline.ts";
import type { TimelineEvent } from "../../../src/ui/model/timeline-event.ts";
import { membership, message } from "./event.ts";

const minute = 60_000;
const noon = new Date(2026, 5, 15, 12).getTime();

const shape = (items: TimelineItem[]) =>
  items.map((item) => (item.kind === "day" ? "day" : `${item.kind} ${item.events.length}`));
const grouped = (...events: TimelineEvent[]) => shape(groupTimeline(events));

describe("groups", () => {
  test("an empty room has no items", () => expect(groupTimeline([])).toEqual([]));

  test.each([
    ["five minutes apart", 5 * minute, ["day", "messages 2"]],
    ["a millisecond more", 5 * minute + 1, ["day", "messages 1", "messages 1"]],
  ])("one sender, %s", (_, gap, want) => {
    expect(grouped(message({ ts: noon }), message({ ts: noon + gap }))).toEqual(want);
  });

  test("the gap counts between neighbours, not from the first", () => {
    const events = [0, 4, 8, 12].map((minutes) => message({ ts: noon + minutes * minute }));
    expect(grouped(...events)).toEqual(["day", "messages 4"]);
  });

  test("another sender begins another group", () => {
    const events = [message({ ts: noon }), message({ ts: noon, sender: "@bob:example.org" })];
    expect(grouped(...events)).toEqual(["day", "messages 1", "messages 1"]);
  });

  test("changes share a group and part messages", () => {
    expect(
      grouped(
        message({ ts: noon }),
        membership("@bob:example.org", "join", undefined, { ts: noon }),
        membership("@carol:example.org", "join", undefined, { ts: noon }),
        message({ ts: noon }),
      ),
    ).toEqual(["day", "messages 1", "changes 2", "messages 1"]);
  });

  test("what is neither message nor state is left out, and does not part a group", () => {
    const reaction = message({ type: "m.reaction", ts: noon });
    expect(grouped(message({ ts: noon }), reaction, message({ ts: noon }))).toEqual(["day", "messages 2"]);
  });

  test("a state event that calls itself a message is no message", () => {
    expect(grouped(message({ stateKey: "", ts: noon }))).toEqual(["day", "changes 1"]);
  });
});

describe("days", () => {
  const midnight = new Date(2026, 5, 16).getTime();

  test("midnight parts even what is a millisecond apart", () => {
    expect(grouped(message({ ts: midnight - 1 }), message({ ts: midnight }))).toEqual([
      "day",
      "messages 1",
      "day",
      "messages 1",
    ]);
  });

  test("one day has one separator", () => {
    const events = [message({ ts: midnight }), message({ ts: midnight + 12 * 60 * minute })];
    expect(grouped(...events)).toEqual(["day", "messages 1", "messages 1"]);
  });
});

test("every message and change stands in the timeline once, in its order, under its own key", () => {
  const anyEvent = fc
    .record({
      kind: fc.constantFrom("message", "state", "other"),
      sender: fc.constantFrom("@alice:example.org", "@bob:example.org"),
      ts: fc.integer({ min: noon - 3 * 24 * 60 * minute, max: noon }),
    })
    .map(({ kind, ...rest }) => {
      if (kind === "state") return membership(rest.sender, "join", undefined, rest);
      return message(kind === "other" ? { ...rest, type: "m.reaction" } : rest);
    });
  fc.assert(
    fc.property(fc.array(anyEvent), (events) => {
      const items = groupTimeline(events);
      const kept = items.flatMap((item) => (item.kind === "day" ? [] : item.events));
      expect(kept).toEqual(events.filter((event) => event.type !== "m.reaction"));
      expect(new Set(items.map((item) => item.key)).size).toBe(items.length);
    }),
  );
});
