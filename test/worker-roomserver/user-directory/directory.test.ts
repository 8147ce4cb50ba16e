import { describe, expect, onTestFinished, test } from "vitest";
import { RoomServer } from "../../../src/worker-roomserver/room/room-server.ts";
import { Directory } from "../../../src/worker-roomserver/user-directory/directory.ts";
import {
  compareRanked,
  listed,
  parseTerm,
  rankOf,
} from "../../../src/worker-roomserver/user-directory/match.ts";
import { testParts } from "../support/room-parts.ts";

async function directory() {
  const parts = await testParts();
  const room = new RoomServer(parts, { onActivity: () => undefined, ignoredBy: async () => new Set() });
  const { serverName } = parts.author;
  const users = new Directory({ storage: parts.storage, room, serverName });
  onTestFinished(() => users.close());
  return {
    parts,
    users,
    rename: (roomId: string, who: string, displayname: string) =>
      room.setState(crypto.randomUUID(), parts.user(who), {
        roomId,
        type: "m.room.member",
        stateKey: parts.user(who).userId,
        content: { membership: "join", displayname },
      }),
    /** Localparts of whom a user finds. */
    find: async (who: string, term: string, limit?: number) => {
      const { results } = await users.search(parts.user(who), term, limit);
      return results.map(({ user_id }) => user_id.slice(1, user_id.indexOf(":")));
    },
  };
}

describe("who is found", () => {
  test("users who share a room, as long as they do, and not the one who asks", async () => {
    const { parts, find } = await directory();
    const room = await parts.create("alice", { invite: [parts.user("bob").userId] });
    expect(await find("alice", "bob")).toEqual([]);
    await parts.act(room, "join", "bob");
    expect(await find("alice", "bob")).toEqual(["bob"]);
    expect(await find("bob", "alice")).toEqual(["alice"]);
    expect(await find("alice", "alice")).toEqual([]);
    expect(await find("carol", "bob")).toEqual([]);
    await parts.act(room, "leave", "bob");
    expect(await find("alice", "bob")).toEqual([]);
  });

  test("users in rooms that anybody may join or read, until these are closed", async () => {
    const { parts, find } = await directory();
    const room = await parts.create("alice", { preset: "public_chat" });
    expect(await find("carol", "alice")).toEqual(["alice"]);
    await parts.setState(room, "alice", "m.room.join_rules", { join_rule: "invite" });
    expect(await find("carol", "alice")).toEqual([]);
    await parts.setState(room, "alice", "m.room.history_visibility", {
      history_visibility: "world_readable",
    });
    expect(await find("carol", "alice")).toEqual(["alice"]);
    await parts.act(room, "leave", "alice");
    expect(await find("carol", "alice")).toEqual([]);
  });

  test("by the names that they have, and only in rooms that one is in", async () => {
    const { parts, find, rename, users } = await directory();
    const shared = await parts.create("alice", { invite: [parts.user("bob").userId] });
    const secret = await parts.create("dave", { invite: [parts.user("bob").userId] });
    await parts.act(shared, "join", "bob");
    await parts.act(secret, "join", "bob");
    expect(await find("alice", "robert")).toEqual([]);
    await rename(shared, "bob", "Róbert the Builder");
    await rename(secret, "bob", "Agent Seven");
    expect(await find("alice", "robert")).toEqual(["bob"]);
    expect(await find("alice", "build")).toEqual(["bob"]);
    expect(await find("alice", "agent")).toEqual([]);
    expect(await find("dave", "agent")).toEqual(["bob"]);
    expect(await users.search(parts.user("alice"), "bob", undefined)).toEqual({
      results: [{ user_id: parts.user("bob").userId, display_name: "Róbert the Builder" }],
      limited: false,
    });
    await rename(shared, "bob", "Bob");
    expect(await find("alice", "robert")).toEqual([]);
  });

  test("up to a limit, which is told", async () => {
    const { parts, users } = await directory();
    const room = await parts.create("alice", { preset: "public_chat" });
    for (const who of ["user1", "user2", "user3"]) await parts.act(room, "join", who);
    const found = await users.search(parts.user("alice"), "user", 2);
    expect(found.results.map(({ user_id }) => user_id.slice(0, 6))).toEqual(["@user1", "@user2"]);
    expect(found.limited).toBe(true);
    expect((await users.search(parts.user("alice"), "user", 3)).limited).toBe(false);
    expect(await users.search(parts.user("alice"), " @ ", 3)).toEqual({ results: [], limited: false });
  });
});

describe("how somebody matches", () => {
  const person = (userId: string, displayName?: string) =>
    listed({ userId, displayName, avatarUrl: undefined });
  const bob = person("@bob:home.example", "Robert Ünal");

  test.each([
    ["bob", 0],
    ["@bob", 0],
    ["@bob:home.example", 0],
    ["robert unal", 0],
    ["ROB", 1],
    ["@bob:ho", 1],
    ["una", 2],
    ["unal rob", 2],
    ["bert", 3],
    ["home.ex", 3],
    ["alice", undefined],
  ])("%s: %s", (term, rank) => {
    expect(rankOf(bob, parseTerm(term)!)).toBe(rank);
  });

  test("a name that is written without spaces, by any part of it", () => {
    expect(rankOf(person("@x:a", "山田太郎"), parseTerm("太郎")!)).toBeDefined();
  });

  test("who has a profile comes before who has none, and ids decide the rest", () => {
    const all = [person("@c:a"), person("@b:a", "Bob"), person("@a:b", "Bob")];
    const sorted = all.map((one) => ({ person: one, rank: 1 })).sort(compareRanked);
    expect(sorted.map(({ person: { userId } }) => userId)).toEqual(["@a:b", "@b:a", "@c:a"]);
  });
});
