import { expect, test } from "vitest";
import type { JsonObject } from "../../../src/matrix/json.ts";
import { versions } from "../auth-rules/judge.ts";
import { changes, play, type StoryEvent } from "./story.ts";

/* The rooms of tests/state/test_v2.py in element-hq/synapse, and what is there expected of them. */

const alice = "@alice:example.com";
const bob = "@bob:example.com";
const charlie = "@charlie:example.com";
const evelyn = "@evelyn:example.com";
const zara = "@zara:example.com";

const state = (type: string, name: string, sender: string, content: JsonObject = {}): StoryEvent => ({
  name,
  type: `m.room.${type}`,
  sender,
  stateKey: "",
  content,
});
const levels = (name: string, sender: string, users: JsonObject, further: JsonObject = {}) =>
  state("power_levels", name, sender, { users, ...further });
const topic = (name: string, sender: string) => state("topic", name, sender);
const member = (name: string, user: string, membership: string, sender = user): StoryEvent => ({
  name,
  type: "m.room.member",
  sender,
  stateKey: user,
  content: { membership },
});
const message = (name: string): StoryEvent => ({ name, type: "m.room.message", sender: zara });

const start: StoryEvent[] = [
  state("create", "CREATE", alice, { creator: alice }),
  member("IMA", alice, "join"),
  levels("IPOWER", alice, { [alice]: 100 }),
  state("join_rules", "IJR", alice, { join_rule: "public" }),
  member("IMB", bob, "join"),
  member("IMC", charlie, "join"),
  member("IMZ", zara, "join"),
  message("START"),
  message("END"),
];
const startEdges = "START IMZ IMC IMB IJR IPOWER IMA CREATE";

const rooms: [what: string, events: StoryEvent[], edges: string[], want: (string | undefined)[]][] = [
  [
    "a ban and what the banned user changed of the power levels",
    [
      levels("PA", alice, { [alice]: 100, [bob]: 50 }),
      member("MA", alice, "join"),
      member("MB", bob, "ban", alice),
      levels("PB", bob, { [alice]: 100, [bob]: 50 }),
    ],
    ["END MB MA PA START", "END PB PA"],
    ["PA", "MA", "MB"],
  ],
  [
    "a join that evades the join rules",
    [state("join_rules", "JR", alice, { join_rules: "private" }), member("ME", evelyn, "join")],
    ["END JR START", "END ME START"],
    ["JR"],
  ],
  [
    "power levels that one side does not know",
    [
      levels("PA", alice, { [alice]: 100, [bob]: 50 }),
      levels("PB", bob, { [alice]: 100, [bob]: 50, [charlie]: 50 }),
      levels("PC", charlie, { [alice]: 100, [bob]: 50, [charlie]: 0 }),
    ],
    ["END PC PB PA START", "END PA"],
    ["PC"],
  ],
  [
    "a topic of somebody who is demoted meanwhile",
    [
      topic("T1", alice),
      levels("PA1", alice, { [alice]: 100, [bob]: 50 }),
      topic("T2", alice),
      levels("PA2", alice, { [alice]: 100, [bob]: 0 }),
      levels("PB", bob, { [alice]: 100, [bob]: 50 }),
      topic("T3", bob),
    ],
    ["END PA2 T2 PA1 T1 START", "END T3 PB PA1"],
    ["PA2", "T2"],
  ],
  [
    "a topic of somebody who is banned later",
    [
      topic("T1", alice),
      levels("PA", alice, { [alice]: 100, [bob]: 50 }),
      topic("T2", bob),
      member("MB", bob, "ban", alice),
    ],
    ["END MB T2 PA T1 START", "END T1"],
    ["T1", "MB", "PA"],
  ],
  [
    "topics on both sides of a merge",
    [
      topic("T1", alice),
      levels("PA1", alice, { [alice]: 100, [bob]: 50 }),
      topic("T2", alice),
      levels("PA2", alice, { [alice]: 100, [bob]: 0 }),
      levels("PB", bob, { [alice]: 100, [bob]: 50 }),
      topic("T3", bob),
      message("MZ1"),
      topic("T4", alice),
    ],
    ["END T4 MZ1 PA2 T2 PA1 T1 START", "END MZ1 T3 PB PA1"],
    ["T4", "PA2"],
  ],
  [
    "a later topic under older power levels",
    [
      topic("T1", alice),
      levels("PA1", alice, { [alice]: 100, [bob]: 50 }),
      topic("T2", alice),
      levels("PA2", alice, { [alice]: 100, [bob]: 50 }, { events: { "m.room.power_levels": 100 } }),
      levels("PB", bob, { [alice]: 100, [bob]: 50 }),
      topic("T3", bob),
      topic("T4", alice),
    ],
    ["END T3 PA2 T2 PA1 T1 START", "END T4 PB PA1"],
    ["T3", "PA2"],
  ],
];

test.each(rooms.flatMap((room) => versions("2", "11").map((version) => [version, ...room] as const)))(
  "v%s: %s",
  async (version, _, events, edges, want) => {
    const { end, before } = await play(version, [...start, ...events], [startEdges, ...edges]);
    expect(changes(before.get("START")!, end).sort()).toEqual(want.sort());
  },
);

test("two users who join at the same time are both in the room", async () => {
  const events = start.filter(({ name }) => ["CREATE", "IMA", "IJR", "IMB", "IMC", "END"].includes(name));
  const { end } = await play("2", events, ["END IMB IJR IMA CREATE", "END IMC IJR"]);
  expect([...end.values()].sort()).toEqual(["CREATE", "IJR", "IMA", "IMB", "IMC"]);
});
