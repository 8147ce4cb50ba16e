import { describe, expect, test } from "vitest";
import type { JsonObject } from "../../../src/matrix/json.ts";
import { RoomHistory, type ToldEvent } from "./room-history.ts";

const alice = "@alice:a.example";
const bob = "@bob:b.example";
const carol = "@carol:c.example";

type Told = Omit<ToldEvent, "auth">;

const set = (name: string, type: string, sender: string, depth: number, content: JsonObject = {}): Told => ({
  name,
  type: `m.room.${type}`,
  sender,
  stateKey: "",
  content,
  depth,
});
const member = (name: string, user: string, membership: string, depth: number, sender = user): Told => ({
  name,
  type: "m.room.member",
  sender,
  stateKey: user,
  content: { membership },
  depth,
});
const levels = (name: string, sender: string, depth: number, users: JsonObject, further: JsonObject = {}) =>
  set(name, "power_levels", sender, depth, { users, ...further });

const create = set("create", "create", alice, 1, { creator: alice });
const common = [
  create,
  member("alice", alice, "join", 2),
  levels("levels", alice, 3, { [alice]: 100, [bob]: 50 }),
  set("rules", "join_rules", alice, 4, { join_rule: "public" }),
  member("bob", bob, "join", 5),
];

/** Resolves states that are given by the names of their events; v1 does not ask what events cite. */
async function resolve(events: readonly Told[], ...states: string[]): Promise<string[]> {
  const history = new RoomHistory("1");
  for (const event of events) history.tell({ ...event, auth: [] });
  const resolved = await history.resolve(states.map((names) => history.stateOf(names.split(" "))));
  // Whatever the order of the sets, the result is one.
  expect(
    await history.resolve(states.toReversed().map((names) => history.stateOf(names.split(" ")))),
  ).toEqual(resolved);
  return [...resolved.values()].sort();
}

/** Resolves events that are conflicted, one for each state, in a room that is otherwise as usual. */
async function winners(events: readonly Told[], ...states: string[]): Promise<string[]> {
  const taken = new Set(events.map(({ type, stateKey }) => type + stateKey));
  const rest = common.filter(({ type, stateKey }) => !taken.has(type + stateKey)).map(({ name }) => name);
  const resolved = await resolve(
    [...common, ...events],
    ...states.map((names) => [...rest, names].join(" ")),
  );
  return resolved.filter((name) => !rest.includes(name));
}

// TestSplitConflictedUnconflicted in stateresolution_test.go of matrix-org/gomatrixserverlib.
test("an entry that a set lacks is not conflicted", async () => {
  const topic = set("topic", "topic", carol, 9);
  const name = set("name", "name", carol, 9);
  expect(await resolve([topic, name], "topic", "name")).toEqual(["name", "topic"]);
});

test("such an entry authorises others", async () => {
  const topics = [set("t1", "topic", bob, 9), set("t2", "topic", bob, 8)];
  const rest = "create alice levels rules";
  expect(await resolve([...common, ...topics], `${rest} bob t1`, `${rest} t2`)).toContain("t1");
  expect(await resolve([...common, ...topics], `${rest} t1`, `${rest} t2`)).toContain("t2");
});

describe("an entry that authorises nothing", () => {
  // test_standard_depth_conflict of tests/test_state.py in element-hq/synapse.
  test.each([
    [1, 2, "b"],
    [2, 1, "a"],
  ])("has the event of the greatest depth (%i, %i: %s)", async (first, second, want) => {
    const events = [set("a", "topic", bob, first), set("b", "topic", bob, second)];
    expect(await winners(events, "a", "b")).toEqual([want]);
  });

  // SHA-1 of "$topicA" begins with 70, of "$topicB" with e2, of "$topicC" with 90.
  test.each([
    ["topicA", "topicB", "topicA"],
    ["topicB", "topicC", "topicC"],
    ["topicC", "topicA", "topicA"],
  ])("has, of %s and %s at the same depth, that of the lower SHA-1: %s", async (first, second, want) => {
    const events = [set(first, "topic", bob, 9), set(second, "topic", bob, 9)];
    expect(await winners(events, first, second)).toEqual([want]);
  });

  test("has the highest that is allowed", async () => {
    const events = [set("a", "topic", carol, 9), set("b", "topic", bob, 8), set("c", "topic", bob, 7)];
    expect(await winners(events, "a", "b", "c")).toEqual(["b"]);
  });

  test("has the lowest if none is allowed", async () => {
    const events = [set("a", "topic", carol, 9), set("b", "topic", carol, 7), set("c", "topic", carol, 8)];
    expect(await winners(events, "a", "b", "c")).toEqual(["b"]);
  });
});

describe("an entry that authorises others", () => {
  // TestStateResV1 in stateresolution_test.go of matrix-org/gomatrixserverlib: the later event takes an entry away
  // from a user who is not below its sender.
  test("keeps the lower event if that does not allow the higher", async () => {
    const room = [
      create,
      member("alice", alice, "join", 2),
      levels("p7", alice, 7, { [alice]: 100, [bob]: 100 }, { events: { "m.room.power_levels": 100 } }),
      member("bob", bob, "join", 8),
      levels("p10", bob, 10, { [bob]: 100 }),
    ];
    const want = ["alice", "bob", "create", "p7"];
    expect(await resolve(room, "create alice bob p7", "create alice bob p10")).toEqual(want);
  });

  test.each([
    ["goes on as long as one allows the next", 100, ["p3"]],
    ["stops at the first that is not allowed, though the next would be", 50, ["p1"]],
  ])("%s", async (_, bobs, want) => {
    const events = [
      levels("p1", alice, 6, { [alice]: 100, [bob]: bobs }),
      levels("p2", bob, 7, { [alice]: 100, [bob]: 100 }),
      levels("p3", alice, 8, { [alice]: 100, [bob]: 100 }),
    ];
    expect(await winners(events, "p1", "p2", "p3")).toEqual(want);
  });

  test("begins with the lowest event without checking it, of two the one of the higher SHA-1", async () => {
    const low = [
      set("topicA", "join_rules", carol, 6, { join_rule: "invite" }),
      set("topicB", "join_rules", carol, 6, { join_rule: "public" }),
    ];
    expect(await winners(low, "topicA", "topicB")).toEqual(["topicB"]);
  });
});

describe("one kind is resolved after the other", () => {
  const lowers = levels("p2", alice, 7, { [alice]: 100, [bob]: 0 });
  const [topic1, topic2] = [set("t1", "topic", alice, 6), set("t2", "topic", bob, 7)];

  test.each([
    [
      "power levels before topics",
      [common[2]!, lowers, topic1, topic2],
      ["levels t1", "p2 t2"],
      ["p2", "t1"],
    ],
    [
      "join rules before members",
      [
        common[3]!,
        set("r2", "join_rules", alice, 6, { join_rule: "invite" }),
        member("c1", carol, "leave", 5),
        member("c2", carol, "join", 7),
      ],
      ["rules c1", "r2 c2"],
      ["c1", "r2"],
    ],
    [
      "members before topics",
      [common[4]!, member("b2", bob, "ban", 6, alice), topic1, topic2],
      ["bob t1", "b2 t2"],
      ["b2", "t1"],
    ],
  ])("%s", async (_, events, states, want) => {
    const told = [...common.filter((event) => !events.includes(event)), ...events];
    const taken = new Set(events.map(({ type, stateKey }) => type + stateKey));
    const rest = common.filter(({ type, stateKey }) => !taken.has(type + stateKey)).map(({ name }) => name);
    const resolved = await resolve(told, ...states.map((names) => [...rest, names].join(" ")));
    expect(resolved.filter((name) => !rest.includes(name))).toEqual(want);
  });

  test("members do not see one another: who is conflicted cannot kick others, wherever the ban comes out", async () => {
    const events = [
      common[4]!,
      member("b2", bob, "ban", 6, alice),
      member("c1", carol, "join", 6),
      member("c2", carol, "leave", 7, bob),
    ];
    const rest = "create alice levels rules";
    const told = [...common.slice(0, 4), ...events];
    expect(await resolve(told, `${rest} bob c1`, `${rest} b2 c2`)).toEqual([
      "alice",
      "b2",
      "c1",
      "create",
      "levels",
      "rules",
    ]);
    expect(await resolve(told, `${rest} bob c1`, `${rest} bob c2`)).toContain("c2");
  });
});
