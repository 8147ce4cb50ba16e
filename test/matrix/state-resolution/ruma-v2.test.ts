import { expect, test } from "vitest";
import type { JsonObject } from "../../../src/matrix/json.ts";
import { changes, play, type StoryEvent } from "./story.ts";

/*
 * The rooms of crates/ruma-state-res/tests/it/resolve/fixtures in ruma/ruma, which are of version 10, and the results
 * that are there on record. Names and times are theirs: they decide ties.
 */

const alice = "@alice:example.com";
const bob = "@bob:example.com";

const state = (name: string, sender: string, ts: number, content: JsonObject = {}): StoryEvent => ({
  name,
  // As in "02-m-room-power_levels-alice".
  type: `m.room.${name.split("-")[3]}`,
  sender,
  stateKey: "",
  content,
  ts,
});
const member = (
  user: string,
  ts: number,
  { membership = "join", by = user, at = "00" } = {},
): StoryEvent => ({
  name: `${at}-m-room-member-${membership}-${user}`,
  type: "m.room.member",
  sender: `@${by}:example.com`,
  stateKey: `@${user}:example.com`,
  content: { membership },
  ts,
});
const levels = (name: string, sender: string, ts: number, users: JsonObject, further: JsonObject = {}) =>
  state(name, sender, ts, { users, ...further });

const common: StoryEvent[] = [
  state("00-m-room-create", alice, 0, { creator: alice, room_version: "10" }),
  member("alice", 1),
  levels("00-m-room-power_levels", alice, 2, { [alice]: 100 }),
  state("00-m-room-join_rules", alice, 3, { join_rule: "public" }),
  member("bob", 6),
  levels("01-m-room-power_levels", alice, 7, { [alice]: 100, [bob]: 50 }),
  { name: "END", type: "m.room.message", sender: alice },
];
const commonEdges = [
  "01-m-room-power_levels 00-m-room-member-join-bob 00-m-room-join_rules 00-m-room-power_levels",
  "00-m-room-power_levels 00-m-room-member-join-alice 00-m-room-create",
];
const from = "01-m-room-power_levels";

test.each<[what: string, events: StoryEvent[], edges: string[], want: string[]]>([
  [
    "a ban and power levels by the banned user",
    [
      member("bob", 8, { membership: "ban", by: "alice" }),
      levels("02-m-room-power_levels", bob, 8, { [alice]: 100, [bob]: 50 }),
    ],
    [`END 00-m-room-member-ban-bob ${from}`, `END 02-m-room-power_levels ${from}`],
    ["00-m-room-member-ban-bob"],
  ],
  [
    "a topic and the demotion of its sender",
    [
      state("00-m-room-topic-alice", alice, 8),
      levels("02-m-room-power_levels-alice", alice, 9, { [alice]: 100, [bob]: 0 }),
      state("01-m-room-topic-bob", bob, 8),
    ],
    [`END 02-m-room-power_levels-alice 00-m-room-topic-alice ${from}`, `END 01-m-room-topic-bob ${from}`],
    ["00-m-room-topic-alice", "02-m-room-power_levels-alice"],
  ],
  [
    "power levels by an admin and by the moderator whom they demote",
    [
      levels("02-m-room-power_levels-alice", alice, 8, { [alice]: 100, [bob]: 0 }),
      levels("02-m-room-power_levels-bob", bob, 8, { [alice]: 100, [bob]: 50 }, { users_default: -1 }),
    ],
    [`END 02-m-room-power_levels-alice ${from}`, `END 02-m-room-power_levels-bob ${from}`],
    ["02-m-room-power_levels-alice"],
  ],
  [
    "a topic and the ban of its sender",
    [
      state("00-m-room-topic", alice, 8),
      member("bob", 8, { membership: "ban", by: "alice" }),
      state("01-m-room-topic", bob, 8),
    ],
    [`END 00-m-room-member-ban-bob 00-m-room-topic ${from}`, "END 01-m-room-topic 00-m-room-topic"],
    ["00-m-room-member-ban-bob", "00-m-room-topic"],
  ],
  [
    "a join and the join rules that rule it out",
    [
      levels("02-m-room-power_levels", bob, 8, { [alice]: 100, [bob]: 50 }),
      state("01-m-room-join_rules", alice, 9, { join_rule: "invite" }),
      member("ella", 9),
    ],
    [
      `END 01-m-room-join_rules 02-m-room-power_levels ${from}`,
      "END 00-m-room-member-join-ella 02-m-room-power_levels",
    ],
    ["01-m-room-join_rules", "02-m-room-power_levels"],
  ],
  [
    "two joins at the same time",
    [member("charlie", 8), member("ella", 8)],
    [`END 00-m-room-member-join-charlie ${from}`, `END 00-m-room-member-join-ella ${from}`],
    ["00-m-room-member-join-charlie", "00-m-room-member-join-ella"],
  ],
  [
    "join rules of which the later has the lower id",
    [
      state("02-m-room-join_rules", alice, 8, { join_rule: "restricted" }),
      state("01-m-room-join_rules", alice, 9, { join_rule: "public" }),
    ],
    [`END 02-m-room-join_rules ${from}`, `END 01-m-room-join_rules ${from}`],
    ["01-m-room-join_rules"],
  ],
])("%s", async (_, events, edges, want) => {
  const { end, before, history } = await play("10", [...common, ...events], [...commonEdges, ...edges]);
  const atFork = new Map([...before.get(from)!, ...history.stateOf([from])]);
  expect(changes(atFork, end).sort()).toEqual(want);
});
