import { describe, expect, test } from "vitest";
import { orderBefore } from "../../../src/worker-roomserver/node/tokens.ts";
import { purgeRoom } from "../../../src/worker-roomserver/room/purge/purge-room.ts";
import { searching } from "./searching.ts";

describe("what is found", () => {
  test("messages, names and topics by all words, phrases and keys", async () => {
    const { parts, say, all, ask } = await searching();
    const room = await parts.create("alice", { name: "Martian men", topic: "men and machines" });
    const one = await say(room, "alice", "Martians and men");
    const two = await say(room, "alice", "men, and then martians!");
    expect(await all("alice", "martians men")).toEqual(expect.arrayContaining([one, two]));
    expect(await all("alice", '"martians and men"')).toEqual([one]);
    expect(await all("alice", "martians women")).toEqual([]);
    expect(await all("alice", "men", { keys: ["content.body"] })).toHaveLength(2);
    const { results } = await ask("alice", "men", { keys: ["content.name", "content.topic"] });
    expect(results.map(({ result }) => result.type).sort()).toEqual(["m.room.name", "m.room.topic"]);
    expect(await ask("alice", " ... ")).toEqual({ count: 0, highlights: [], results: [] });
  });

  test("the plain text of a rich topic", async () => {
    const { parts, all } = await searching();
    const room = await parts.create("alice");
    const id = await parts.setState(room, "alice", "m.room.topic", {
      topic: "short",
      "m.topic": {
        "m.text": [{ body: "<b>loud</b>", mimetype: "text/html" }, { body: "long description" }],
      },
    });
    expect(await all("alice", "description")).toEqual([id]);
    expect(await all("alice", "loud")).toEqual([]);
    expect(await all("alice", '"short long"')).toEqual([]);
  });

  test("an edited message by its newest text, with the edit bundled", async () => {
    const { parts, say, edit, ask, all } = await searching();
    const room = await parts.create("alice");
    const id = await say(room, "alice", "first draft");
    expect(await all("alice", "draft")).toEqual([id]);
    const second = await edit(room, "alice", id, "final Wörd");
    expect(await all("alice", "draft")).toEqual([]);
    const { results, highlights } = await ask("alice", "word");
    expect(results.map(({ result }) => result.event_id)).toEqual([id]);
    expect(results[0]!.result.unsigned["m.relations"]).toMatchObject({ "m.replace": { event_id: second } });
    expect(highlights).toEqual(["word", "Wörd"]);
    await parts.redact(room, "alice", second);
    expect(await all("alice", "word")).toEqual([]);
    expect(await all("alice", "draft")).toEqual([id]);
    await parts.redact(room, "alice", id);
    expect(await all("alice", "draft")).toEqual([]);
  });

  test("another's edit, and one of an edit, change nothing", async () => {
    const { parts, say, edit, all } = await searching();
    const room = await parts.create("alice", { preset: "public_chat" });
    await parts.act(room, "join", "bob");
    const id = await say(room, "alice", "original");
    const own = await edit(room, "alice", id, "mine");
    await edit(room, "bob", id, "forged");
    await edit(room, "alice", own, "nested");
    expect(await all("alice", "mine")).toEqual([id]);
    expect(await all("alice", "forged")).toEqual([]);
    expect(await all("alice", "nested")).toEqual([]);
  });

  test("history that came later", async () => {
    const { parts, say, all } = await searching();
    const room = await parts.create("alice");
    const live = await say(room, "alice", "needle now");
    const { userId } = parts.user("alice");
    const { order } = (await parts.events.byId(live))!;
    const old = await parts.takeIn(
      room,
      { sender: userId, type: "m.room.message", content: { body: "needle then" } },
      { order: orderBefore(order) },
    );
    expect(await all("alice", "needle", { order_by: "recent" })).toEqual([live, old]);
  });

  test("nothing that no timeline has", async () => {
    const { parts, all } = await searching();
    const room = await parts.create("alice");
    const pdu = {
      sender: parts.user("alice").userId,
      type: "m.room.message",
      content: { body: "needle" },
    };
    await parts.takeIn(room, pdu, { status: 2, reason: "late", isOutlier: false });
    await parts.takeIn(room, pdu, { status: 0, reason: "", isOutlier: true });
    await parts.send(room, "alice", { ciphertext: "needle", body: "needle" }, "m.room.encrypted");
    expect(await all("alice", "needle")).toEqual([]);
  });
});

describe("who finds it", () => {
  test("members, and who has left up to their leaving; nobody else", async () => {
    const { parts, say, all, ask } = await searching();
    const room = await parts.create("alice", { preset: "public_chat" });
    await parts.act(room, "join", "bob");
    const before = await say(room, "alice", "needle one");
    await parts.act(room, "leave", "bob");
    const after = await say(room, "alice", "needle two");
    await parts.act(room, "invite", "alice", "carol");
    expect(await all("bob", "needle")).toEqual([before]);
    expect((await ask("bob", "needle")).count).toBe(1);
    expect(await all("alice", "needle", { order_by: "recent" })).toEqual([after, before]);
    expect(await all("carol", "needle")).toEqual([]);
    expect((await ask("carol", "needle")).count).toBe(0);
  });

  test("what history keeps from a member is neither found nor counted", async () => {
    const { parts, say, ask } = await searching();
    const room = await parts.create("alice", { preset: "public_chat" });
    await parts.setState(room, "alice", "m.room.history_visibility", { history_visibility: "joined" });
    await say(room, "alice", "needle before");
    await parts.act(room, "join", "bob");
    const seen = await say(room, "alice", "needle after");
    const { results, count } = await ask("bob", "needle");
    expect(results.map(({ result }) => result.event_id)).toEqual([seen]);
    expect(count).toBe(1);
  });

  test("the words of an edit that somebody may not see do not lead to the message", async () => {
    const { parts, say, edit, all } = await searching();
    const room = await parts.create("alice", { preset: "public_chat" });
    await parts.act(room, "join", "bob");
    const id = await say(room, "alice", "harmless");
    await parts.act(room, "leave", "bob");
    await edit(room, "alice", id, "secret");
    expect(await all("bob", "secret")).toEqual([]);
    expect(await all("alice", "secret")).toEqual([id]);
  });

  test("nothing of ignored users, and nothing of purged rooms", async () => {
    const { parts, say, all, ignored } = await searching();
    const room = await parts.create("alice", { preset: "public_chat" });
    await parts.act(room, "join", "bob");
    const own = await say(room, "alice", "needle");
    await say(room, "bob", "needle");
    ignored.add("bob");
    expect(await all("alice", "needle")).toEqual([own]);
    await purgeRoom(parts, room);
    expect(await all("alice", "needle")).toEqual([]);
    await parts.storage.flushed();
    expect(await parts.storage.getAllKeys("searchBlocks")).toEqual([]);
  });
});

describe("how it is shown", () => {
  test("by rank the closest first, by time the newest", async () => {
    const { parts, say, all, ask } = await searching();
    const room = await parts.create("alice");
    const close = await say(room, "alice", "needle");
    const far = await say(room, "alice", `needle ${"in a haystack ".repeat(20)}`);
    expect(await all("alice", "needle")).toEqual([close, far]);
    expect(await all("alice", "needle", { order_by: "recent" })).toEqual([far, close]);
    const ranks = (await ask("alice", "needle")).results.map(({ rank }) => rank);
    expect(ranks[0]).toBeGreaterThan(ranks[1]!);
  });

  test("pages go on where they ended while others write", async () => {
    const { parts, say, ask } = await searching();
    const room = await parts.create("alice");
    const sent: string[] = [];
    for (let i = 0; i < 7; i++) sent.unshift(await say(room, "alice", "needle"));
    const criteria = { order_by: "recent", filter: { limit: 3 } } as const;
    const seen: string[] = [];
    let next: string | undefined;
    do {
      const page = await ask("alice", "needle", criteria, next);
      expect(page.results.length).toBeLessThanOrEqual(3);
      seen.push(...page.results.map(({ result }) => result.event_id));
      next = page.next_batch;
      await say(room, "alice", "another needle");
    } while (next !== undefined);
    expect(seen).toEqual(sent);
  });

  test("groups by room and sender, each with pages of its own", async () => {
    const { parts, say, ask } = await searching();
    const rooms = [await parts.create("alice"), await parts.create("alice", { preset: "public_chat" })];
    await parts.act(rooms[1]!, "join", "bob");
    const sent = [];
    for (const [room, who] of [
      [0, "alice"],
      [1, "bob"],
      [1, "alice"],
      [0, "alice"],
      [1, "bob"],
    ] as const) {
      sent.unshift(await say(rooms[room]!, who, "needle"));
    }
    const criteria = {
      order_by: "recent",
      filter: { limit: 2 },
      groupings: { group_by: [{ key: "room_id" }, { key: "sender" }] },
    } as const;
    const { groups, next_batch } = await ask("alice", "needle", criteria);
    expect(groups!.room_id![rooms[1]!]).toMatchObject({ order: 1, results: [sent[0]] });
    expect(groups!.room_id![rooms[0]!]).toMatchObject({ order: 2, results: [sent[1]] });
    const bob = parts.user("bob").userId;
    expect(groups!.sender![bob]).toMatchObject({ order: 1, results: [sent[0]] });
    const inRoom = await ask("alice", "needle", criteria, groups!.room_id![rooms[1]!]!.next_batch);
    expect(inRoom.results.map(({ result }) => result.event_id)).toEqual([sent[2], sent[3]]);
    expect(inRoom.next_batch).toBeUndefined();
    const byBob = await ask("alice", "needle", criteria, groups!.sender![bob]!.next_batch);
    expect(byBob.results.map(({ result }) => result.event_id)).toEqual([sent[3]]);
    const rest = await ask("alice", "needle", criteria, next_batch);
    expect(rest.results.map(({ result }) => result.event_id)).toEqual([sent[2], sent[3]]);
  });

  test("with context, profiles and state", async () => {
    const { parts, say, ask } = await searching();
    const room = await parts.create("alice", { preset: "public_chat" });
    await parts.setState(room, "alice", "m.room.topic", { topic: "things" });
    const before = await say(room, "alice", "before");
    const id = await say(room, "alice", "needle");
    const after = await say(room, "alice", "after");
    const { results, state } = await ask("alice", "needle", {
      event_context: { before_limit: 1, after_limit: 5, include_profile: true },
      include_state: true,
    });
    const [{ context, result }] = results as [(typeof results)[0]];
    expect(result).toMatchObject({ event_id: id, room_id: room });
    expect(context!.events_before.map(({ event_id }) => event_id)).toEqual([before]);
    expect(context!.events_after.map(({ event_id }) => event_id)).toEqual([after]);
    expect(context!.profile_info).toEqual({ [parts.user("alice").userId]: {} });
    expect(state![room]!.map(({ type }) => type)).toEqual(
      expect.arrayContaining(["m.room.create", "m.room.topic", "m.room.member"]),
    );
    const none = await ask("alice", "needle");
    expect(none.results[0]).not.toHaveProperty("context");
    expect(none).not.toHaveProperty("state");
  });

  test("by the filter: rooms, senders, types and URLs", async () => {
    const { parts, say, all } = await searching();
    const room = await parts.create("alice", { preset: "public_chat", name: "needle" });
    const other = await parts.create("alice");
    await parts.act(room, "join", "bob");
    const alice = await say(room, "alice", "needle");
    const bob = await say(room, "bob", "needle");
    const file = await parts.send(other, "alice", { msgtype: "m.file", body: "needle", url: "mxc://a/b" });
    const keys = ["content.body"] as const;
    const found = async (filter: object) =>
      (await all("alice", "needle", { keys, filter: { ...filter } })).sort();
    expect(await found({ rooms: [other] })).toEqual([file]);
    expect(await found({ not_rooms: [room] })).toEqual([file]);
    expect(await found({ senders: [parts.user("bob").userId] })).toEqual([bob]);
    expect(await found({ senders: ["@stranger:elsewhere"] })).toEqual([]);
    expect(await found({ not_senders: [parts.user("bob").userId] })).toEqual([alice, file].sort());
    expect(await found({ contains_url: true })).toEqual([file]);
    expect(await found({ contains_url: false })).toEqual([alice, bob].sort());
    expect(await all("alice", "needle", { filter: { types: ["m.room.n*"] } })).toHaveLength(1);
    expect(await all("alice", "needle", { filter: { not_types: ["*"] } })).toEqual([]);
  });

  test.each(["", "h12", "s2_1_1", "s0.5_1", "s0.5_1_1_x1", "s0.5_1_1_r"])("%j is no token", async (token) => {
    const { ask } = await searching();
    await expect(ask("alice", "needle", {}, token)).rejects.toMatchObject({
      errcode: "M_INVALID_PARAM",
      status: 400,
    });
  });
});

describe("an index", () => {
  test("is made from the events where there is none", async () => {
    const first = await searching();
    const room = await first.parts.create("alice");
    const ids = [];
    for (let i = 0; i < 30; i++) ids.unshift(await first.say(room, "alice", `needle ${i}`));
    await first.parts.storage.flushed();
    const { storage } = first.parts;
    await storage.commit((write) => {
      write.put("meta", { version: 0, upTo: 0, end: 0 }, "search");
      write.put("searchBlocks", Uint32Array.of(1, 2, 3), [1, -5]);
      write.put("readers", storage.position, "search");
    });
    const { all, parts } = await first.reopen();
    expect(await all("alice", "needle", { order_by: "recent" })).toEqual(ids);
    await parts.storage.flushed();
    expect(await parts.storage.get("searchBlocks", [1, -5])).toBeUndefined();
  });

  test("goes on where it was, also after a crash that its last blocks did not survive", async () => {
    const first = await searching();
    const room = await first.parts.create("alice");
    const one = await first.say(room, "alice", "needle");
    await first.search.caughtUp();
    await first.parts.storage.flushed();
    const two = await first.say(room, "alice", "needle");
    await first.search.caughtUp();
    const second = await first.reopen();
    const three = await second.say(room, "alice", "needle");
    expect(await second.all("alice", "needle", { order_by: "recent" })).toEqual([three, two, one]);
  });
});
