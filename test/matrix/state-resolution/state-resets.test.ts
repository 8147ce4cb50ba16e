import { expect, test } from "vitest";
import type { JsonObject } from "../../../src/matrix/json.ts";
import { RoomHistory, type ToldEvent } from "./room-history.ts";

/*
 * The resets that MSC4297 is about (its problems A and B), as element-hq/synapse has them in
 * tests/state/test_v21.py and ruma/ruma in crates/ruma-state-res/tests/it/resolve/fixtures/MSC4297-problem-*: what v2
 * makes of them, and what v2.1 does.
 */

const alice = "@alice:example.com";
const bob = "@bob:example.com";
const charlie = "@charlie:example.com";
const eve = "@eve:example.com";
const zara = "@zara:example.com";

/** The event with what is different in a room of another version. */
function tellAll(version: string, events: readonly ToldEvent[]): RoomHistory {
  const history = new RoomHistory(version);
  const isV12 = history.rules.roomIdIsCreateHash;
  for (const event of events) {
    const auth = isV12 || event.name === "create" ? event.auth : ["create", ...event.auth];
    // Creators have no level of their own from v12 on; before, alice needs one.
    const users = event.content?.users as JsonObject | undefined;
    const content = users && !isV12 ? { users: { [alice]: 100, ...users } } : event.content;
    history.tell({ ...event, auth, ...(content && { content }) });
  }
  return history;
}

const set = (name: string, sender: string, content: JsonObject, ...auth: string[]): ToldEvent => ({
  name,
  type: `m.room.${name.replace(/\d/, "")}`,
  sender,
  stateKey: "",
  content,
  auth,
});
const member = (name: string, user: string, membership: string, ...auth: string[]): ToldEvent => ({
  name,
  type: "m.room.member",
  sender: user,
  stateKey: user,
  content: { membership },
  auth,
});
const first: ToldEvent[] = [
  { ...set("create", alice, { room_version: "12" }), prev: [] },
  { ...member("alice1", alice, "join"), prev: ["create"] },
];

const problemA: ToldEvent[] = [
  ...first,
  set("power_levels", alice, { users: {} }, "alice1"),
  set("join_rules1", alice, { join_rule: "public" }, "alice1", "power_levels"),
  member("bob1", bob, "join", "power_levels", "join_rules1"),
  member("charlie1", charlie, "join", "power_levels", "join_rules1"),
  set("join_rules2", alice, { join_rule: "invite" }, "alice1", "power_levels"),
  member("alice2", alice, "leave", "power_levels", "alice1"),
  member("bob2", bob, "join", "power_levels", "bob1", "join_rules2"),
  member("charlie2", charlie, "join", "power_levels", "charlie1", "join_rules2"),
];
const bobsState = ["create", "power_levels", "charlie1", "join_rules2", "alice2", "bob2"];
const charliesState = ["create", "power_levels", "join_rules1", "bob1", "alice2", "charlie2"];

test.each([
  ["11", ["alice2", "bob2", "charlie2", "create", "power_levels"]],
  ["12", ["alice2", "bob2", "charlie2", "create", "join_rules2", "power_levels"]],
])("v%s: join rules of which the sender has left are: %j", async (version, want) => {
  const history = tellAll(version, problemA);
  const resolved = await history.resolve([bobsState, charliesState].map((names) => history.stateOf(names)));
  expect([...resolved.values()].sort()).toEqual(want);
});

test("v12: only the join rules differ, and the newer stay though their sender has left", async () => {
  const history = tellAll("12", problemA);
  const rest = ["create", "power_levels", "bob1", "alice2"];
  const states = ["join_rules2", "join_rules1"].map((name) => history.stateOf([...rest, name]));
  expect([...(await history.resolve(states)).values()].sort()).toEqual([...rest, "join_rules2"].sort());
});

const problemB = (eveCites: string): ToldEvent[] => [
  ...first,
  set("power_levels1", alice, { users: {} }, "alice1"),
  set("join_rules", alice, { join_rule: "public" }, "alice1", "power_levels1"),
  member("bob", bob, "join", "power_levels1", "join_rules"),
  member("charlie", charlie, "join", "power_levels1", "join_rules"),
  set("power_levels2", alice, { users: { [bob]: 50 } }, "alice1", "power_levels1"),
  set("power_levels3", bob, { users: { [bob]: 50, [charlie]: 50 } }, "bob", "power_levels2"),
  member("zara", zara, "join", "power_levels3", "join_rules"),
  member("eve1", eve, "join", "power_levels3", "join_rules"),
  member("eve2", eve, "join", eveCites, "join_rules", "eve1"),
];
const evesState = ["create", "alice1", "power_levels1", "join_rules", "bob", "charlie", "eve2"];
const zarasState = ["create", "alice1", "power_levels3", "join_rules", "bob", "charlie", "zara"];
const everybody = ["alice1", "bob", "charlie", "create", "join_rules", "zara"];

test.each([
  // The first two are ruma's room; in Synapse's, eve cites old power levels, so that her older event counts as newer.
  ["11", "power_levels3", ["eve2", "power_levels1"]],
  ["12", "power_levels3", ["eve2", "power_levels3"]],
  ["12", "power_levels1", ["eve1", "power_levels3"]],
])("v%s: old power levels beside members that rest on newer ones (%s): %j", async (version, cited, want) => {
  const history = tellAll(version, problemB(cited));
  const resolved = await history.resolve([evesState, zarasState].map((names) => history.stateOf(names)));
  expect([...resolved.values()].sort()).toEqual([...everybody, ...want].sort());
});
