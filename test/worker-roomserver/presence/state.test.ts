import { describe, expect, test } from "vitest";
import {
  type Activity,
  absent,
  acted,
  nextChangeAt,
  presenceAt,
  presenceSet,
  syncBegun,
  syncEnded,
} from "../../../src/worker-roomserver/presence/state.ts";

type Step = (activity: Activity) => Activity;
const sync =
  (at: number): Step =>
  (activity) =>
    syncBegun(activity, "online", at);
const idleSync =
  (at: number): Step =>
  (activity) =>
    syncBegun(activity, "unavailable", at);
const end =
  (at: number): Step =>
  (activity) =>
    syncEnded(activity, "online", at);
const idleEnd =
  (at: number): Step =>
  (activity) =>
    syncEnded(activity, "unavailable", at);
const act =
  (at: number): Step =>
  (activity) =>
    acted(activity, at);
const put =
  (state: "online" | "unavailable" | "offline", at: number): Step =>
  (activity) =>
    presenceSet(activity, state, at);

const having = (...steps: Step[]) => steps.reduce((activity, step) => step(activity), absent);

test.each<[name: string, activity: Activity, at: number, want: string]>([
  ["nothing was ever heard of the user", having(), 10, "offline"],
  ["a sync is under way", having(sync(10)), 10, "online active"],
  ["just within a minute of activity", having(sync(10)), 60_009, "online active"],
  ["a minute after activity", having(sync(10)), 60_010, "online"],
  ["just before five minutes", having(sync(10)), 300_009, "online"],
  ["five minutes after activity", having(sync(10)), 300_010, "unavailable"],
  ["activity brings back who was away", having(sync(10), act(400_000)), 400_000, "online active"],
  ["between two polls", having(sync(10), end(1_000)), 30_999, "online active"],
  ["half a minute after the last poll", having(sync(10), end(1_000)), 31_000, "offline"],
  ["another client goes on", having(sync(10), sync(20), end(1_000)), 31_000, "online active"],
  ["coming back is an activity", having(sync(10), end(20), sync(400_000)), 400_000, "online active"],
  ["the next poll is none", having(sync(10), end(250_000), sync(250_010)), 300_010, "unavailable"],
  ["a sync that says idle", having(idleSync(10)), 10, "unavailable"],
  ["a sync that says idle, between polls", having(idleSync(10), idleEnd(20)), 30, "unavailable"],
  ["one client is idle, the other is not", having(sync(10), idleSync(20)), 20, "online active"],
  ["the only client goes idle", having(sync(10), end(20), idleSync(30)), 30, "unavailable"],
  ["and is back", having(sync(10), end(20), idleSync(30), idleEnd(40), sync(50)), 50, "online active"],
  ["activity gives the lie to idle", having(idleSync(10), act(20)), 20, "online active"],
  ["set to unavailable", having(sync(10), put("unavailable", 20)), 20, "unavailable"],
  ["polls leave unavailable", having(sync(10), put("unavailable", 20), end(30), sync(40)), 40, "unavailable"],
  ["activity ends unavailable", having(sync(10), put("unavailable", 20), act(30)), 30, "online active"],
  ["being away ends unavailable", having(put("unavailable", 20), sync(40_000)), 40_000, "online active"],
  ["set to offline", having(sync(10), put("offline", 20)), 20, "offline"],
  ["activity does not give away who hides", having(sync(10), put("offline", 20), act(30)), 30, "offline"],
  [
    "a new sync shows who was hiding",
    having(sync(10), put("offline", 20), end(30), sync(40)),
    40,
    "online active",
  ],
  ["set to online without a sync", having(put("online", 10)), 30_009, "online active"],
  ["which lasts half a minute", having(put("online", 10)), 30_010, "offline"],
  ["activity alone makes nobody online", having(act(10)), 10, "offline"],
])("%s", (_, activity, at, want) => {
  const { presence, currentlyActive } = presenceAt(activity, at);
  expect(currentlyActive ? `${presence} active` : presence).toBe(want);
});

describe("what comes with time alone", () => {
  test.each<[name: string, activity: Activity, now: number, want: number | undefined]>([
    ["not active any more", having(sync(10)), 10, 60_010],
    ["idle", having(sync(10)), 60_010, 300_010],
    ["nothing more while a sync is under way", having(sync(10)), 300_010, undefined],
    ["offline", having(sync(10), end(20)), 20, 30_020],
    ["nothing for who is offline", having(), 10, undefined],
    ["nothing for who hides", having(put("offline", 10)), 10, undefined],
  ])("%s", (_, activity, now, want) => expect(nextChangeAt(activity, now)).toBe(want));
});
