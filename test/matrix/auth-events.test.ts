import { describe, expect, test } from "vitest";
import { authTypesFor } from "../../src/matrix/auth-events.ts";
import type { JsonObject } from "../../src/matrix/json.ts";
import { roomVersionRules } from "../../src/matrix/room-versions.ts";
import { versions } from "./auth-rules/judge.ts";

const alice = "@alice:a.example";
const bob = "@bob:b.example";
const carol = "@carol:c.example";

// Short names for what is selected beside the create event, the power levels and the sender's membership.
const rules = "m.room.join_rules/";
const target = `m.room.member/${bob}`;
const token = "m.room.third_party_invite/t";
const signed = { signed: { token: "t" } };

describe.each(versions("1"))("v%s", (version) => {
  const room = roomVersionRules(version)!;
  const selected = (type: string, content: JsonObject = {}, stateKey?: string) =>
    authTypesFor(
      { type, sender: alice, content, ...(stateKey !== undefined && { state_key: stateKey }) },
      room,
    )
      .map((pair) => pair.join("/"))
      .sort();
  const base = [
    ...(room.roomIdIsCreateHash ? [] : ["m.room.create/"]),
    "m.room.power_levels/",
    `m.room.member/${alice}`,
  ];
  const baseAnd = (...more: string[]) => [...base, ...more].sort();

  test("a create event is authorised by nothing, others by the room's basis", () => {
    expect(selected("m.room.create", {}, "")).toEqual([]);
    expect(selected("m.room.message")).toEqual(baseAnd());
    expect(selected("m.room.join_rules", { membership: "join" }, bob)).toEqual(baseAnd());
  });

  test.each<[content: JsonObject, more: string[]]>([
    [{ membership: "join" }, [target, rules]],
    [{ membership: "invite" }, [target, rules]],
    [{ membership: "knock" }, [target, rules]],
    [{ membership: "leave" }, [target]],
    [{ membership: "ban" }, [target]],
    [{ membership: "invite", third_party_invite: signed }, [target, rules, token]],
    [{ membership: "join", third_party_invite: signed }, [target, rules]],
    [{ membership: "invite", third_party_invite: {} }, [target, rules]],
    [{ membership: "invite", third_party_invite: { signed: { token: 5 } } }, [target, rules]],
    [{ membership: "invite", third_party_invite: null }, [target, rules]],
    [{ membership: "invite", join_authorised_via_users_server: carol }, [target, rules]],
    [{ membership: "join", join_authorised_via_users_server: 5 }, [target, rules]],
    [{ membership: 5 }, [target]],
    [{}, [target]],
  ])("membership of another user: %j", (content, more) => {
    expect(selected("m.room.member", content, bob)).toEqual(baseAnd(...more));
  });

  test("an authorised join names who authorised it, from v8 on", () => {
    const content = { membership: "join", join_authorised_via_users_server: carol };
    const more = room.restrictedJoins ? [`m.room.member/${carol}`] : [];
    expect(selected("m.room.member", content, bob)).toEqual(baseAnd(target, rules, ...more));
  });

  test("nothing is selected twice", () => {
    const content = { membership: "join", join_authorised_via_users_server: alice };
    expect(selected("m.room.member", content, alice)).toEqual(baseAnd(rules));
  });

  test("a membership event without a state key is that of nobody", () => {
    expect(selected("m.room.member", { membership: "leave" })).toEqual(baseAnd());
  });
});
