import { describe, expect, test } from "vitest";
import type { RuleName } from "../../../src/matrix/auth-rules/rule-numbers.ts";
import { type EventFields, usualRoom } from "../room-builder.ts";
import { expected, judge, versions } from "./judge.ts";

const alice = "@alice:a.example";
const bob = "@bob:b.example";

const membership = (value: string, sender: string, target = bob): EventFields => ({
  type: "m.room.member",
  sender,
  state_key: target,
  content: { membership: value },
});

describe.each(versions("1"))("v%s: leaving", (version) => {
  test.each<[was: string | undefined, want: "allow" | RuleName]>([
    ["join", "allow"],
    ["invite", "allow"],
    ["leave", "member.leave.own"],
    ["ban", "member.leave.own"],
    [undefined, "member.leave.own"],
  ])("from %s: %s", (was, want) => {
    const room = usualRoom({ version });
    if (was !== undefined) room.member(bob, was);
    expect(judge(room, membership("leave", bob))).toBe(expected(want, room.rules));
  });

  test("taking back a knock, from v7 on", () => {
    const room = usualRoom({ version });
    room.member(bob, "knock");
    const want = room.rules.knocking ? "allow" : "member.leave.own";
    expect(judge(room, membership("leave", bob))).toBe(expected(want, room.rules));
  });
});

// Alice's level, Bob's level and membership, and the levels that kicking and banning take.
type Row = {
  alice: number;
  bob: number;
  was?: string;
  kick?: number;
  ban?: number;
  want: "allow" | RuleName;
};

const kicks: Row[] = [
  { alice: 50, bob: 49, want: "allow" },
  { alice: 50, bob: 50, want: "member.leave.otherwise" },
  { alice: 49, bob: 0, want: "member.leave.otherwise" },
  { alice: 20, bob: 0, kick: 20, want: "allow" },
  { alice: 19, bob: 0, kick: 20, want: "member.leave.otherwise" },
  { alice: 50, bob: 0, was: "invite", want: "allow" },
  { alice: 50, bob: 0, was: "knock", want: "allow" },
  { alice: 50, bob: 0, was: "ban", want: "allow" },
  { alice: 50, bob: 0, was: "ban", ban: 51, want: "member.leave.unban" },
  { alice: 50, bob: 0, was: "ban", kick: 51, want: "member.leave.otherwise" },
  { alice: 50, bob: 50, was: "ban", want: "member.leave.otherwise" },
];
const bans: Row[] = [
  { alice: 50, bob: 49, want: "allow" },
  { alice: 50, bob: 50, want: "member.ban.otherwise" },
  { alice: 49, bob: 0, want: "member.ban.otherwise" },
  { alice: 20, bob: 0, ban: 20, want: "allow" },
  { alice: 19, bob: 0, ban: 20, want: "member.ban.otherwise" },
  { alice: 50, bob: 0, was: "ban", want: "allow" },
  { alice: 50, bob: 0, was: "leave", want: "allow" },
];

describe.each(versions("1"))("v%s", (version) => {
  const roomOf = (row: Row) => {
    const levels = {
      users: { [alice]: row.alice, [bob]: row.bob },
      kick: row.kick ?? 50,
      ban: row.ban ?? 50,
    };
    const room = usualRoom({ version, levels });
    room.member(alice, "join");
    room.member(bob, row.was ?? "join");
    return room;
  };
  test.each(kicks)("kicking $was: $alice, $bob, kick $kick, ban $ban: $want", (row) => {
    const room = roomOf(row);
    expect(judge(room, membership("leave", alice))).toBe(expected(row.want, room.rules));
  });
  test.each(bans)("banning $was: $alice, $bob, ban $ban: $want", (row) => {
    const room = roomOf(row);
    expect(judge(room, membership("ban", alice))).toBe(expected(row.want, room.rules));
  });
  test("only members kick and ban", () => {
    const room = usualRoom({ version, levels: { users: { [alice]: 100 } } });
    room.member(alice, "invite");
    expect(judge(room, membership("leave", alice))).toBe(expected("member.leave.sender", room.rules));
    expect(judge(room, membership("ban", alice))).toBe(expected("member.ban.sender", room.rules));
  });
});

describe("creators of v12", () => {
  const room = usualRoom({
    version: "12",
    create: { additional_creators: [alice] },
    levels: { users: { [bob]: 2 ** 53 - 1 } },
  });
  room.member(alice, "join");
  room.member(bob, "join");
  test("remove whoever has the highest level there is, who cannot remove them", () => {
    expect(judge(room, membership("ban", alice))).toBe("allow");
    expect(judge(room, membership("ban", bob, alice))).toBe("5.6.3");
    expect(judge(room, membership("leave", bob, room.creator))).toBe("5.5.5");
  });
  test("do not remove one another", () => {
    expect(judge(room, membership("leave", room.creator, alice))).toBe("5.5.5");
    expect(judge(room, membership("ban", alice, room.creator))).toBe("5.6.3");
  });
});
