import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encodeBase64 } from "../../../src/matrix/base64.ts";
import { nobleEd25519 } from "../../../src/matrix/ed25519-noble.ts";
import type { JsonObject } from "../../../src/matrix/json.ts";
import { signJson } from "../../../src/matrix/signing.ts";
import { versions } from "../auth-rules/judge.ts";
import { type ArbitraryRoom, arbitraryRoom } from "./arbitrary-history.ts";
import { RoomHistory, type ToldEvent } from "./room-history.ts";

function historyOf({ version, events }: Pick<ArbitraryRoom, "version" | "events">): RoomHistory {
  const history = new RoomHistory(version);
  for (const event of events) history.tell(event);
  return history;
}

const entries = (state: ReadonlyMap<string, string>) => [...state].sort(([a], [b]) => (a < b ? -1 : 1));

/** Another order in which each event comes after all that it cites. */
function arrivedOtherwise(events: readonly ToldEvent[], weights: readonly number[]): ToldEvent[] {
  const waiting = new Map(events.map((event, index) => [event, weights[index % weights.length]!]));
  const arrived = new Map<string, ToldEvent>();
  while (waiting.size > 0) {
    const [[next]] = [...waiting]
      .filter(
        ([{ type, auth }]) =>
          type === "m.room.create" || (arrived.size > 0 && auth.every((name) => arrived.has(name))),
      )
      .sort(([, a], [, b]) => a - b) as [[ToldEvent, number]];
    waiting.delete(next);
    arrived.set(next.name, next);
  }
  return [...arrived.values()];
}

describe("whatever the room and its states", () => {
  const weights = fc.array(fc.nat(100), { minLength: 30, maxLength: 30 });

  test("the order of the sets, of their entries, and of the events' arrival does not matter", async () => {
    let merges = 0;
    await fc.assert(
      fc.asyncProperty(arbitraryRoom, weights, async (room, order) => {
        const history = historyOf(room);
        const states = room.states.map((names) => history.stateOf(names));
        const want = entries(await history.resolve(states));
        expect(history.fullReads).toBeLessThanOrEqual(1);
        expect(history.batches).toBeLessThanOrEqual(6);

        const turned = states.map((state) => new Map([...state].reverse())).reverse();
        expect(entries(await history.resolve(turned, (conflicted) => conflicted.reverse()))).toEqual(want);
        expect(entries(await history.resolve([...states, states[0]!]))).toEqual(want);

        const later = historyOf({ ...room, events: arrivedOtherwise(room.events, order) });
        expect(entries(await later.resolve(states))).toEqual(want);
        if (states.every((state) => JSON.stringify(entries(state)) !== JSON.stringify(want))) merges += 1;
      }),
    );
    // Some results are the state of no side.
    expect(merges).toBeGreaterThan(0);
  });

  test("states that are alike are what they are resolved to, without any event being asked for", async () => {
    await fc.assert(
      fc.asyncProperty(arbitraryRoom, async (room) => {
        const history = historyOf(room);
        const state = history.stateOf(room.states[0]!);
        expect(entries(await history.resolve([state, state, state]))).toEqual(entries(state));
        expect([history.batches, history.fullReads]).toEqual([0, 0]);
      }),
    );
  });
});

const alice = "@alice:a.example";
const bob = "@bob:b.example";
const carol = "@carol:c.example";

const tell = (
  name: string,
  type: string,
  sender: string,
  content: JsonObject,
  auth: string,
  further: Partial<ToldEvent> = {},
): ToldEvent => ({
  name,
  type: `m.room.${type}`,
  sender,
  stateKey: type === "member" ? sender : "",
  content,
  auth: auth.split(" ").filter((other) => other !== ""),
  ...further,
});

/** A room with alice and bob in it, told as in v11; in v12 the create event is not cited. */
function usual(version: string, ...further: ToldEvent[]): RoomHistory {
  const isV12 = version === "12";
  const users = { ...(isV12 ? {} : { [alice]: 100 }), [bob]: 50 };
  const events = [
    tell("create", "create", alice, { creator: alice }, ""),
    tell("alice", "member", alice, { membership: "join" }, "create", { prev: ["create"] }),
    tell("levels", "power_levels", alice, { users }, "create alice"),
    tell("rules", "join_rules", alice, { join_rule: "public" }, "create alice levels"),
    tell("bob", "member", bob, { membership: "join" }, "create levels rules"),
    ...further,
  ];
  return historyOf({
    version,
    events: events.map((event) => ({
      ...event,
      auth: event.auth.filter((name) => !isV12 || name !== "create"),
    })),
  });
}
const start = ["create", "alice", "levels", "rules", "bob"];

async function resolved(history: RoomHistory, ...states: string[][]): Promise<string[]> {
  const result = await history.resolve(states.map((names) => history.stateOf(names)));
  return [...result.values()].filter((name) => !start.includes(name)).sort();
}

describe.each(versions("2"))("v%s", (version) => {
  test("a set that lacks an entry, and one that has nothing at all", async () => {
    const history = usual(version, tell("topic", "topic", bob, {}, "create bob levels"));
    expect(await resolved(history, start, [...start, "topic"])).toEqual(["topic"]);
    expect(await resolved(history, [], [...start, "topic"], start)).toEqual(["topic"]);
    expect(entries(await history.resolve([new Map(), history.stateOf(start)]))).toEqual(
      entries(history.stateOf(start)),
    );
    expect(await resolved(history, [], [])).toEqual([]);
  });

  test("what conflicts, but cites nothing that the sets differ on, takes one batch and no full read", async () => {
    const history = usual(
      version,
      tell("t1", "topic", bob, {}, "create bob levels"),
      tell("t2", "topic", alice, {}, "create alice levels"),
    );
    expect(await resolved(history, [...start, "t1"], [...start, "t2"])).toEqual(["t2"]);
    expect([history.batches, history.fullReads]).toEqual([1, 0]);
  });

  test("timestamps need not be safe integers", async () => {
    const topic = (name: string, ts: number) => tell(name, "topic", bob, {}, "create bob levels", { ts });
    const history = usual(version, topic("t1", 1e300), topic("t2", -1e300), topic("t3", 1e300));
    expect(await resolved(history, [...start, "t1"], [...start, "t2"])).toEqual(["t1"]);
    expect(await resolved(history, [...start, "t1"], [...start, "t3"])).toEqual(["t3"]);
  });

  test("a rejected event authorises nothing, though others cite it", async () => {
    const events = (rejected: boolean) => [
      tell("carol", "member", carol, { membership: "join" }, "create levels rules", { rejected }),
      tell("c2", "member", carol, { membership: "leave" }, "create levels carol"),
    ];
    expect(await resolved(usual(version, ...events(false)), start, [...start, "c2"])).toEqual(["c2"]);
    expect(await resolved(usual(version, ...events(true)), start, [...start, "c2"])).toEqual([]);
  });
});

test("v2: an event of the auth difference can come into the state though no set has it", async () => {
  // The second state was given by a server that left the name out, though its sender's membership rests on it.
  const history = usual(
    "11",
    tell("carol", "member", carol, { membership: "join" }, "create levels rules"),
    tell("t1", "topic", bob, {}, "create bob levels carol"),
  );
  expect(await resolved(history, start, [...start, "t1"])).toEqual(["carol", "t1"]);
});

test("v2: ids are compared by code point", async () => {
  // As UTF-16 units the second would be the first.
  const topic = (name: string) => tell(name, "topic", bob, {}, "create bob levels", { ts: 9 });
  const history = usual("2", topic("\uffee"), topic("\u{1f600}"));
  expect(await resolved(history, [...start, "\uffee"], [...start, "\u{1f600}"])).toEqual(["\u{1f600}"]);
});

describe("v12", () => {
  test("creators come before all others in the power ordering", async () => {
    // Bob has 100 too, and is earlier; but alice's rules are applied first, and so bob's stay.
    const rules = (name: string, sender: string, cites: string, ts: number) =>
      tell(name, "join_rules", sender, { join_rule: "invite" }, `${cites} p2`, { ts });
    const history = usual(
      "12",
      tell("p2", "power_levels", alice, { users: { [bob]: 100 } }, "alice levels"),
      rules("r1", bob, "bob", 20),
      rules("r2", alice, "alice", 21),
    );
    const rest = ["create", "alice", "bob", "p2"];
    expect(await resolved(history, [...rest, "r1"], [...rest, "r2"])).toEqual(["p2", "r1"]);
  });

  test("without conflicting power levels there is no mainline: the others go by time alone", async () => {
    const topic = (name: string, levels: string, ts: number) =>
      tell(name, "topic", bob, {}, `create bob ${levels}`, { ts });
    const events = [
      tell("p2", "power_levels", alice, { users: { [bob]: 50 } }, "create alice levels"),
      topic("new", "p2", 20),
      topic("old", "levels", 21),
    ];
    const rest = ["create", "alice", "rules", "bob", "p2"];
    expect(await resolved(usual("12", ...events), [...rest, "new"], [...rest, "old"])).toEqual(["old", "p2"]);
    const v11 = events.map((event) =>
      event.name === "p2" ? { ...event, content: { users: { [alice]: 100, [bob]: 50 } } } : event,
    );
    expect(await resolved(usual("11", ...v11), [...rest, "new"], [...rest, "old"])).toEqual(["new", "p2"]);
  });
});

describe.each(versions("1"))("v%s: a conflicted invite by a third party", async (version) => {
  const ed25519 = nobleEd25519();
  const seed = new Uint8Array(32).fill(7);
  const signed = await signJson(
    { mxid: carol, token: "t" },
    "id.example",
    "ed25519:0",
    await ed25519.signer(seed),
  );
  const publicKey = encodeBase64(await ed25519.publicKey(seed));

  test.each([
    ["stays if that has signed it", signed, ["c2", "third"]],
    ["goes if not", { ...signed, signatures: {} }, ["c1", "third"]],
  ])("%s", async (_, signature, want) => {
    const invite = { membership: "invite", third_party_invite: { display_name: "c", signed: signature } };
    const history = usual(
      version,
      tell("third", "third_party_invite", bob, { public_key: publicKey }, "create bob levels", {
        stateKey: "t",
      }),
      tell("c1", "member", bob, { membership: "invite" }, "create bob levels rules", { stateKey: carol }),
      tell("c2", "member", bob, invite, "create bob levels rules third", { stateKey: carol }),
    );
    const both = [...start, "third"];
    expect(await resolved(history, [...both, "c1"], [...both, "c2"])).toEqual(want);
  });
});
