import { expect, test } from "vitest";
import type { AuthFacts } from "../../../src/matrix/auth-rules/auth-event.ts";
import type { RuleName } from "../../../src/matrix/auth-rules/rule-numbers.ts";
import type { JsonObject } from "../../../src/matrix/json.ts";
import { type EventFields, testRoom, usualRoom } from "../room-builder.ts";
import { expected, judge, versions } from "./judge.ts";

const alice = "@alice:a.example";
const bob = "@bob:b.example";

const join = (userId: string, content: JsonObject = {}, sender = userId): EventFields => ({
  type: "m.room.member",
  sender,
  state_key: userId,
  content: { membership: "join", ...content },
});

type Row = {
  versions: string[];
  joinRule: string;
  /** Bob's membership before. */
  was?: string;
  want: "allow" | RuleName;
};

const byJoinRule: Row[] = [
  { versions: versions("1"), joinRule: "public", want: "allow" },
  { versions: versions("1"), joinRule: "public", was: "leave", want: "allow" },
  { versions: versions("1"), joinRule: "public", was: "ban", want: "member.join.banned" },
  { versions: versions("1"), joinRule: "invite", was: "invite", want: "allow" },
  { versions: versions("1"), joinRule: "invite", was: "join", want: "allow" },
  { versions: versions("1"), joinRule: "invite", was: "leave", want: "member.join.otherwise" },
  { versions: versions("1"), joinRule: "invite", want: "member.join.otherwise" },
  { versions: versions("1"), joinRule: "private", was: "invite", want: "member.join.otherwise" },
  { versions: versions("7"), joinRule: "knock", was: "invite", want: "allow" },
  { versions: versions("7"), joinRule: "knock", was: "knock", want: "member.join.otherwise" },
  { versions: versions("1", "6"), joinRule: "knock", was: "invite", want: "member.join.otherwise" },
  { versions: versions("8"), joinRule: "restricted", was: "invite", want: "allow" },
  { versions: versions("8"), joinRule: "restricted", was: "join", want: "allow" },
  { versions: versions("8"), joinRule: "restricted", want: "member.join.restricted.authorised_via" },
  { versions: versions("8"), joinRule: "restricted", was: "ban", want: "member.join.banned" },
  { versions: versions("1", "7"), joinRule: "restricted", was: "invite", want: "member.join.otherwise" },
  { versions: versions("10"), joinRule: "knock_restricted", was: "invite", want: "allow" },
  {
    versions: versions("10"),
    joinRule: "knock_restricted",
    was: "knock",
    want: "member.join.restricted.authorised_via",
  },
  {
    versions: versions("1", "9"),
    joinRule: "knock_restricted",
    was: "invite",
    want: "member.join.otherwise",
  },
];

const joinRuleCases = byJoinRule.flatMap((row) => row.versions.map((version) => ({ ...row, version })));
test.each(joinRuleCases)("v$version: joining by $joinRule from $was: $want", (row) => {
  const room = usualRoom({ version: row.version, joinRule: row.joinRule });
  if (row.was !== undefined) room.member(bob, row.was);
  expect(judge(room, join(bob))).toBe(expected(row.want, room.rules));
});

type Restricted = {
  via: string | number;
  signed?: boolean;
  inviteLevel?: number;
  want: "allow" | RuleName;
  what: string;
};

const byAuthorisation: Restricted[] = [
  { what: "a member who may invite", via: alice, want: "allow" },
  { what: "a member just at the invite level", via: alice, inviteLevel: 10, want: "allow" },
  {
    what: "a member just below the invite level",
    via: alice,
    inviteLevel: 11,
    want: "member.join.restricted.authorised_via",
  },
  { what: "a user who has left", via: "@gone:a.example", want: "member.join.restricted.authorised_via" },
  { what: "a stranger", via: "@none:a.example", want: "member.join.restricted.authorised_via" },
  { what: "no user", via: 5, want: "member.join.restricted.authorised_via" },
  {
    what: "a member whose server has not signed",
    via: alice,
    signed: false,
    want: "member.authorised_via.signature",
  },
];
const restrictedCases = byAuthorisation.flatMap((row) =>
  [
    ...versions("8").map((v) => [v, "restricted"] as const),
    ...versions("10").map((v) => [v, "knock_restricted"] as const),
  ].map(([version, joinRule]) => ({ ...row, version, joinRule })),
);
test.each(restrictedCases)("v$version: a $joinRule join authorised by $what: $want", (row) => {
  const levels = { users: { [alice]: 10 }, invite: row.inviteLevel ?? 0 };
  const room = usualRoom({ version: row.version, joinRule: row.joinRule, levels });
  room.member(alice, "join");
  room.member("@gone:a.example", "leave");
  const facts: AuthFacts = row.signed === false ? {} : { authorisingServerSigned: true };
  const event = join(bob, { join_authorised_via_users_server: row.via });
  expect(judge(room, event, facts)).toBe(expected(row.want, room.rules));
});

test.each(versions("1"))("v%s: join_authorised_via_users_server counts from v8 on", (version) => {
  const room = usualRoom({ version, joinRule: "public" });
  const want = room.rules.restrictedJoins ? "member.authorised_via.signature" : "allow";
  expect(judge(room, join(bob, { join_authorised_via_users_server: alice }))).toBe(
    expected(want, room.rules),
  );
});

test.each(versions("1"))("v%s: nobody joins for another", (version) => {
  const room = usualRoom({ version, joinRule: "public" });
  room.member(alice, "join");
  expect(judge(room, join(bob, {}, alice))).toBe(expected("member.join.sender", room.rules));
});

test.each(versions("1"))(
  "v%s: the creator joins right after the create event, nobody else does",
  (version) => {
    const room = testRoom({ version, create: { additional_creators: [alice] } });
    expect(judge(room, join(room.creator))).toBe("allow");
    expect(judge(room, join(alice))).toBe(expected("member.join.otherwise", room.rules));
    room.set("m.room.topic", { topic: "later" });
    expect(judge(room, join(room.creator))).toBe(expected("member.join.otherwise", room.rules));
  },
);

test.each(versions("1"))(
  "v%s: content.creator is the creator up to v10, the sender from v11 on",
  (version) => {
    const room = testRoom({ version, create: { creator: alice } });
    const [yes, no] = room.rules.creatorIsSender ? [room.creator, alice] : [alice, room.creator];
    expect(judge(room, join(yes))).toBe("allow");
    expect(judge(room, join(no))).toBe(expected("member.join.otherwise", room.rules));
  },
);

test("a room without join rules is by invite, one whose join rule is no string lets nobody in", () => {
  const room = testRoom();
  room.member(room.creator, "join");
  room.member(bob, "invite");
  expect(judge(room, join(bob))).toBe("allow");
  room.set("m.room.join_rules", { join_rule: ["public"] });
  expect(judge(room, join(bob))).toBe("5.3.7");
});
