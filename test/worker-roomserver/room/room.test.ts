import { describe, expect, test } from "vitest";
import { roomVersions } from "../../../src/matrix/room-versions.ts";
import { json, type TestRooms, testRooms } from "../support/room.ts";

type Event = {
  event_id: string;
  type: string;
  sender: string;
  state_key?: string;
  content: Record<string, unknown>;
  unsigned: Record<string, unknown>;
};

const texts = (events: Event[]) =>
  events.filter(({ type }) => type === "m.room.message").map(({ content }) => content.body);
const say = (
  t: TestRooms,
  roomId: string,
  body: string,
  who = "alice",
  txnId: string = crypto.randomUUID(),
) =>
  t.rooms.sendEvent(t.user(who), {
    roomId,
    type: "m.room.message",
    txnId,
    content: { msgtype: "m.text", body },
  });
const messages = async (t: TestRooms, roomId: string, who = "alice", query: object = {}) =>
  json(
    await t.rooms.messages(t.user(who), roomId, { dir: "b", limit: 100, filter: {}, ...query }),
  ) as unknown as {
    chunk: Event[];
    start: string;
    end?: string;
    state: Event[];
  };
const act = (
  t: TestRooms,
  roomId: string,
  action: "join" | "leave" | "invite" | "kick" | "ban" | "unban" | "knock",
  who: string,
  target = who,
) => t.rooms.changeMembership(t.request(), t.user(who), { roomId, action, target: t.user(target).userId });
const create = async (t: TestRooms, body: object = {}, who = "alice") =>
  (await t.rooms.createRoom(t.request(), t.user(who), body)).room_id;

describe.each(roomVersions)("room version %s", (version) => {
  test("is created, spoken in, redacted in and left", async () => {
    const t = await testRooms();
    const roomId = await create(t, {
      room_version: version,
      preset: "private_chat",
      name: "Den",
      invite: [t.user("bob").userId],
    });
    await act(t, roomId, "join", "bob");
    const { event_id } = await say(t, roomId, "hello", "bob");
    await t.rooms.redact(t.user("alice"), {
      roomId,
      eventId: event_id,
      txnId: "r",
      content: { reason: "no" },
    });
    const event = json(await t.rooms.event(t.user("alice"), roomId, event_id)) as unknown as Event;
    expect(event.content).toEqual({});
    const because = event.unsigned.redacted_because as Event & { redacts: string };
    expect([because.type, because.redacts, because.content.redacts, because.content.reason]).toEqual([
      "m.room.redaction",
      event_id,
      event_id,
      "no",
    ]);
    await act(t, roomId, "leave", "bob");
    await expect(say(t, roomId, "gone", "bob")).rejects.toMatchObject({
      errcode: "M_FORBIDDEN",
      status: 403,
    });
    const state = json(await t.rooms.state(t.user("alice"), roomId)) as unknown as Event[];
    expect(state.find(({ type }) => type === "m.room.create")?.content.room_version).toBe(version);
    expect(state.find(({ type }) => type === "m.room.name")?.content).toEqual({ name: "Den" });
  });
});

describe("sending", () => {
  test("an event of 65,535 bytes with its hashes and signatures, and none larger", async () => {
    const t = await testRooms();
    const roomId = await create(t);
    const rowOf = async (eventId: string) =>
      (await t.storage.fromIndex("events", "id", IDBKeyRange.only(eventId)))[0]!;
    const short = await rowOf((await say(t, roomId, "")).event_id);
    // The next event's depth has as many digits.
    const body = "x".repeat(65_535 - short.json.length);
    await expect(say(t, roomId, `${body}x`)).rejects.toMatchObject({ status: 413, errcode: "M_TOO_LARGE" });
    const { event_id } = await say(t, roomId, body);
    expect((await rowOf(event_id)).json.length).toBe(65_535);
  });

  test("the same transaction makes one event, at once, later, and after a restart", async () => {
    const t = await testRooms();
    const roomId = await create(t);
    const sent = await Promise.all([say(t, roomId, "x", "alice", "t1"), say(t, roomId, "x", "alice", "t1")]);
    expect(sent[0]).toEqual(sent[1]);
    expect(await say(t, roomId, "x", "alice", "t1")).toEqual(sent[0]);
    const again = await testRooms(t.storage.name);
    expect(await say(again, roomId, "x", "alice", "t1")).toEqual(sent[0]);
    expect(texts((await messages(again, roomId)).chunk)).toEqual(["x"]);
    const other = await say(again, roomId, "y", "alice", "t2");
    expect(other).not.toEqual(sent[0]);
  });

  test("a transaction id is the device's own", async () => {
    const t = await testRooms();
    const roomId = await create(t);
    const send = (device: string) =>
      t.rooms.sendEvent(t.user("alice", device), { roomId, type: "m.x", txnId: "t", content: {} });
    const [one, other] = [await send("A"), await send("B")];
    expect(one).not.toEqual(other);
    const seen = json(await t.rooms.event(t.user("alice", "A"), roomId, one.event_id)) as unknown as Event;
    expect(seen.unsigned.transaction_id).toBe("t");
    const foreign = json(await t.rooms.event(t.user("alice", "B"), roomId, one.event_id)) as unknown as Event;
    expect(foreign.unsigned.transaction_id).toBeUndefined();
  });

  test("many at once are all there, in the order in which they were answered", async () => {
    const t = await testRooms();
    const roomId = await create(t);
    const bodies = Array.from({ length: 60 }, (_, i) => `${i}`);
    await Promise.all(bodies.map((body) => say(t, roomId, body)));
    expect(texts((await messages(t, roomId)).chunk).reverse()).toEqual(bodies);
  });

  test("each event names the one before, with a depth one greater", async () => {
    const t = await testRooms();
    const roomId = await create(t);
    const first = await say(t, roomId, "a");
    const second = await say(t, roomId, "b");
    const [a, b] = await Promise.all([t.rooms.eventById(first.event_id), t.rooms.eventById(second.event_id)]);
    expect(b?.pdu.prev_events).toEqual([first.event_id]);
    expect(b?.pdu.depth).toBe((a?.pdu.depth ?? 0) + 1);
  });

  test.each([
    ["a float", { n: 1.5 }, 400, "M_BAD_JSON"],
    ["a number past 2^53", { n: 2 ** 53 }, 400, "M_BAD_JSON"],
    ["more than 64 KiB", { body: "x".repeat(66_000) }, 413, "M_TOO_LARGE"],
  ])("refuses content with %s, and writes nothing", async (_, content, status, errcode) => {
    const t = await testRooms();
    const roomId = await create(t);
    const before = t.storage.position;
    const sent = t.rooms.sendEvent(t.user("alice"), { roomId, type: "m.x", txnId: "t", content });
    await expect(sent).rejects.toMatchObject({ status, errcode });
    expect(t.storage.position).toBe(before);
  });

  test("after a write that failed, the next builds on what is really there", async () => {
    const t = await testRooms();
    const roomId = await create(t);
    await say(t, roomId, "kept");
    const failing = t.storage.commit((write) =>
      write.put("filters", (() => undefined) as unknown as string, [1, "x"]),
    );
    const [failed, behind] = await Promise.allSettled([failing, say(t, roomId, "behind")]);
    expect(failed.status).toBe("rejected");
    await say(t, roomId, "next");
    const acknowledged = behind.status === "fulfilled" ? ["kept", "behind", "next"] : ["kept", "next"];
    expect(texts((await messages(t, roomId)).chunk).reverse()).toEqual(acknowledged);
  });
});

describe("state", () => {
  test("an equal state event is not sent again", async () => {
    const t = await testRooms();
    const roomId = await create(t);
    const set = (topic: string) =>
      t.rooms.setState(t.request(), t.user("alice"), {
        roomId,
        type: "m.room.topic",
        stateKey: "",
        content: { topic },
      });
    const first = await set("a");
    expect(await set("a")).toEqual(first);
    const other = await set("b");
    expect(other).not.toEqual(first);
    const event = json(await t.rooms.event(t.user("alice"), roomId, other.event_id)) as unknown as Event;
    expect(event.unsigned).toMatchObject({ replaces_state: first.event_id, prev_content: { topic: "a" } });
  });

  test("the state at any earlier point can be read, however many changes lie between", async () => {
    const t = await testRooms();
    const roomId = await create(t);
    const positions: number[] = [];
    for (let i = 0; i < 70; i++) {
      await t.rooms.setState(t.request(), t.user("alice"), {
        roomId,
        type: "m.x",
        stateKey: `${i % 10}`,
        content: { i },
      });
      positions.push(t.storage.position);
    }
    const again = await testRooms(t.storage.name);
    const room = await again.rooms.nid(roomId);
    for (const [i, position] of positions.entries()) {
      const nids = await again.rooms.stateOf(await again.rooms.snapshotAt(room!, position), "others");
      const values = (await again.rooms.events(nids))
        .filter(({ pdu }) => pdu.type === "m.x")
        .map(({ pdu }) => pdu.content.i as number)
        .sort((a, b) => a - b);
      const expected = Array.from({ length: i + 1 }, (_, n) => n).slice(-10);
      expect(values).toEqual(expected);
    }
    const [from, to] = [
      await again.rooms.snapshotAt(room!, positions[20]!),
      await again.rooms.snapshotAt(room!, positions[25]!),
    ];
    const changes = await again.rooms.events(await again.rooms.stateChanges(from, to));
    expect(changes.map(({ pdu }) => pdu.content.i).sort()).toEqual([21, 22, 23, 24, 25]);
  });

  test("a user without the level may not set it", async () => {
    const t = await testRooms();
    const roomId = await create(t, { preset: "public_chat" });
    await act(t, roomId, "join", "bob");
    const set = t.rooms.setState(t.request(), t.user("bob"), {
      roomId,
      type: "m.room.name",
      stateKey: "",
      content: { name: "x" },
    });
    await expect(set).rejects.toMatchObject({ errcode: "M_FORBIDDEN" });
  });
});

describe("membership", () => {
  test("kick, ban and unban take a level, and do what they say", async () => {
    const t = await testRooms();
    const roomId = await create(t, { preset: "public_chat" });
    await act(t, roomId, "join", "bob");
    await act(t, roomId, "join", "carol");
    await expect(act(t, roomId, "kick", "bob", "carol")).rejects.toMatchObject({ errcode: "M_FORBIDDEN" });
    await act(t, roomId, "kick", "alice", "carol");
    await act(t, roomId, "ban", "alice", "bob");
    await expect(act(t, roomId, "join", "bob")).rejects.toMatchObject({ errcode: "M_FORBIDDEN" });
    await act(t, roomId, "unban", "alice", "bob");
    await act(t, roomId, "join", "bob");
    const joined = json(await t.rooms.joinedMembers(t.user("alice"), roomId)) as unknown as {
      joined: object;
    };
    expect(Object.keys(joined.joined).sort()).toEqual([t.user("alice").userId, t.user("bob").userId]);
  });

  test.each([
    ["kick someone who is not there", "kick"],
    ["unban someone who is not banned", "unban"],
  ] as const)("cannot %s", async (_, action) => {
    const t = await testRooms();
    const roomId = await create(t);
    await expect(act(t, roomId, action, "alice", "bob")).rejects.toMatchObject({ errcode: "M_FORBIDDEN" });
  });

  test("knock, and be let in", async () => {
    const t = await testRooms();
    const roomId = await create(t, {
      initial_state: [{ type: "m.room.join_rules", content: { join_rule: "knock" } }],
    });
    await expect(act(t, roomId, "join", "bob")).rejects.toMatchObject({ errcode: "M_FORBIDDEN" });
    await act(t, roomId, "knock", "bob");
    await act(t, roomId, "invite", "alice", "bob");
    await act(t, roomId, "join", "bob");
    expect((await t.rooms.joinedRooms(t.user("bob"))).joined_rooms).toEqual([roomId]);
  });

  test("a restricted room lets in members of the room that it names, and no others", async () => {
    const t = await testRooms();
    const club = await create(t, { preset: "public_chat" });
    const roomId = await create(t, {
      initial_state: [
        {
          type: "m.room.join_rules",
          content: { join_rule: "restricted", allow: [{ type: "m.room_membership", room_id: club }] },
        },
      ],
    });
    await expect(act(t, roomId, "join", "bob")).rejects.toMatchObject({ errcode: "M_FORBIDDEN" });
    await act(t, club, "join", "bob");
    await act(t, roomId, "join", "bob");
    const member = await t.rooms.stateEvent(t.user("bob"), {
      roomId,
      type: "m.room.member",
      stateKey: t.user("bob").userId,
      format: "content",
    });
    expect(member.join_authorised_via_users_server).toBe(t.user("alice").userId);
  });

  test("joining twice is answered twice and makes one event", async () => {
    const t = await testRooms();
    const roomId = await create(t, { preset: "public_chat" });
    await Promise.all([act(t, roomId, "join", "bob"), act(t, roomId, "join", "bob")]);
    const joins = (await messages(t, roomId)).chunk.filter(
      ({ state_key }) => state_key === t.user("bob").userId,
    );
    expect(joins).toHaveLength(1);
  });

  test("forgetting takes having left", async () => {
    const t = await testRooms();
    const roomId = await create(t);
    await expect(t.rooms.forget(t.user("alice"), roomId)).rejects.toMatchObject({
      status: 400,
      errcode: "M_UNKNOWN",
    });
    await act(t, roomId, "leave", "alice");
    await t.rooms.forget(t.user("alice"), roomId);
    const [info] = await (await testRooms(t.storage.name)).rooms.membershipsOf(t.user("alice").userId);
    expect(info).toMatchObject({ membership: "leave", forgotten: true });
  });

  test("inviting a user that does not exist is refused", async () => {
    const t = await testRooms();
    const roomId = await create(t);
    await expect(act(t, roomId, "invite", "alice", "nobody")).rejects.toMatchObject({
      errcode: "M_NOT_FOUND",
    });
  });
});

describe("creation", () => {
  test("the same request makes one room, also when it is sent again to the next leader", async () => {
    const t = await testRooms();
    const request = t.request();
    const make = (at: TestRooms) => at.rooms.createRoom(request, at.user("alice"), { name: "once" });
    const [one, same] = await Promise.all([make(t), make(t)]);
    expect(one).toEqual(same);
    const next = await testRooms(t.storage.name);
    expect(await make(next)).toEqual(one);
    expect((await next.rooms.joinedRooms(next.user("alice"))).joined_rooms).toHaveLength(1);
  });

  test("rooms that one user makes alike in the same moment are different rooms", async () => {
    const t = await testRooms();
    const made = await Promise.all(Array.from({ length: 5 }, () => create(t)));
    expect(new Set(made).size).toBe(5);
    expect((await t.rooms.joinedRooms(t.user("alice"))).joined_rooms.sort()).toEqual(made.sort());
  });

  test("setting or deleting an alias is answered as the first time when it is sent again", async () => {
    const t = await testRooms();
    const roomId = await create(t);
    const alias = `#den:${t.serverName}`;
    const [set, remove] = [t.request(), t.request()];
    await t.rooms.setAlias(set, t.user("alice"), alias, roomId);
    const next = await testRooms(t.storage.name);
    await next.rooms.setAlias(set, next.user("alice"), alias, roomId);
    await expect(
      next.rooms.setAlias(next.request(), next.user("alice"), alias, roomId),
    ).rejects.toMatchObject({ status: 409 });
    await next.rooms.deleteAlias(remove, next.user("alice"), alias);
    await next.rooms.deleteAlias(remove, next.user("alice"), alias);
    await expect(next.rooms.resolveAlias(alias)).rejects.toMatchObject({ errcode: "M_NOT_FOUND" });
  });

  test("an alias belongs to one room, and a room that cannot have it is not made", async () => {
    const t = await testRooms();
    const made = await Promise.allSettled([
      create(t, { room_alias_name: "den" }),
      create(t, { room_alias_name: "den" }, "bob"),
    ]);
    expect(made.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    expect(made.find(({ status }) => status === "rejected")).toMatchObject({
      reason: { errcode: "M_ROOM_IN_USE", status: 400 },
    });
    const winner = made.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
    expect((await t.rooms.resolveAlias(`#den:${t.serverName}`)).room_id).toBe(winner[0]);
    expect((await t.storage.getAllKeys("rooms")).length).toBe(1);
  });

  test.each([
    ["an unknown version", { room_version: "nope" }, "M_UNSUPPORTED_ROOM_VERSION"],
    ["a bad invitee", { invite: ["bob"] }, "M_INVALID_PARAM"],
    [
      "power levels of the wrong type",
      { power_level_content_override: { users_default: "x" } },
      "M_INVALID_ROOM_STATE",
    ],
    [
      "initial state that the rules refuse",
      { initial_state: [{ type: "m.room.member", state_key: "@x:y", content: { membership: "join" } }] },
      "M_INVALID_ROOM_STATE",
    ],
  ])("with %s is refused and leaves nothing", async (_, body, errcode) => {
    const t = await testRooms();
    await expect(create(t, body)).rejects.toMatchObject({ errcode });
    expect(t.storage.position).toBe(0);
    expect(await t.storage.getAllKeys("rooms")).toEqual([]);
  });

  test("in version 12 the room id is that of the create event, and the creator is not in the power levels", async () => {
    const t = await testRooms();
    const roomId = await create(t, {
      room_version: "12",
      preset: "trusted_private_chat",
      invite: [t.user("bob").userId],
    });
    const state = json(await t.rooms.state(t.user("alice"), roomId)) as unknown as Event[];
    const createEvent = state.find(({ type }) => type === "m.room.create");
    expect(createEvent?.event_id.slice(1)).toBe(roomId.slice(1));
    expect(createEvent?.content.additional_creators).toEqual([t.user("bob").userId]);
    expect(state.find(({ type }) => type === "m.room.power_levels")?.content.users).toEqual({});
  });
});

describe("history visibility", () => {
  const withVisibility = (history_visibility: string) => ({
    preset: "public_chat",
    initial_state: [{ type: "m.room.history_visibility", content: { history_visibility } }],
  });

  test.each([
    ["joined", ["after"]],
    ["invited", ["invited", "after"]],
    ["shared", ["before", "invited", "after"]],
    ["world_readable", ["before", "invited", "after"]],
  ])("%s: a member who came late sees %j", async (visibility, expected) => {
    const t = await testRooms();
    const roomId = await create(t, withVisibility(visibility));
    await say(t, roomId, "before");
    await act(t, roomId, "invite", "alice", "bob");
    await say(t, roomId, "invited");
    await act(t, roomId, "join", "bob");
    await say(t, roomId, "after");
    expect(texts((await messages(t, roomId, "bob")).chunk).reverse()).toEqual(expected);
  });

  test.each([
    ["shared", false],
    ["world_readable", true],
  ])("%s: from outside it can be read: %s", async (visibility, readable) => {
    const t = await testRooms();
    const roomId = await create(t, withVisibility(visibility));
    const read = messages(t, roomId, "carol");
    if (readable) expect((await read).chunk.length).toBeGreaterThan(0);
    else await expect(read).rejects.toMatchObject({ errcode: "M_FORBIDDEN" });
  });

  test("who has left sees the room as it was then", async () => {
    const t = await testRooms();
    const roomId = await create(t, withVisibility("shared"));
    await act(t, roomId, "join", "bob");
    await say(t, roomId, "with bob");
    await act(t, roomId, "leave", "bob");
    await say(t, roomId, "without bob");
    await t.rooms.setState(t.request(), t.user("alice"), {
      roomId,
      type: "m.room.topic",
      stateKey: "",
      content: { topic: "bob" },
    });
    expect(texts((await messages(t, roomId, "bob")).chunk)).toEqual(["with bob"]);
    const key = { roomId, type: "m.room.topic", stateKey: "", format: "content" } as const;
    await expect(t.rooms.stateEvent(t.user("bob"), key)).rejects.toMatchObject({ errcode: "M_NOT_FOUND" });
  });

  test("an invite that was declined opens nothing", async () => {
    const t = await testRooms();
    const roomId = await create(t, withVisibility("shared"));
    await act(t, roomId, "invite", "alice", "bob");
    await act(t, roomId, "leave", "bob");
    await expect(messages(t, roomId, "bob")).rejects.toMatchObject({ errcode: "M_FORBIDDEN" });
  });
});

describe("reading back", () => {
  test("pages in both directions give every event once, in order", async () => {
    const t = await testRooms();
    const roomId = await create(t);
    const bodies = Array.from({ length: 23 }, (_, i) => `${i}`);
    for (const body of bodies) await say(t, roomId, body);
    for (const dir of ["b", "f"] as const) {
      const seen: Event[] = [];
      let from: string | undefined;
      do {
        const page: Awaited<ReturnType<typeof messages>> = await messages(t, roomId, "alice", {
          dir,
          limit: 4,
          from,
        });
        seen.push(...page.chunk);
        from = page.end;
      } while (from !== undefined);
      expect(new Set(seen.map(({ event_id }) => event_id)).size).toBe(seen.length);
      expect(texts(dir === "b" ? seen.reverse() : seen)).toEqual(bodies);
      expect(seen[0]?.type).toBe("m.room.create");
    }
  });

  test("a filter that lets little through still reaches it", async () => {
    const t = await testRooms();
    const roomId = await create(t, { name: "first" });
    for (let i = 0; i < 150; i++) await say(t, roomId, `${i}`);
    const page = await messages(t, roomId, "alice", { limit: 1, filter: { types: ["m.room.name"] } });
    expect(page.chunk.map(({ content }) => content.name)).toEqual(["first"]);
  });

  test("a token that is none is refused", async () => {
    const t = await testRooms();
    const roomId = await create(t);
    await expect(messages(t, roomId, "alice", { from: "s1_2" })).rejects.toMatchObject({
      errcode: "M_INVALID_PARAM",
      status: 400,
    });
  });

  test("context shows both sides, and its tokens go on from there", async () => {
    const t = await testRooms();
    const roomId = await create(t);
    const sent = [];
    for (let i = 0; i < 9; i++) sent.push(await say(t, roomId, `${i}`));
    const context = json(
      await t.rooms.context(t.user("alice"), roomId, sent[4]!.event_id, { limit: 4, filter: {} }),
    ) as unknown as {
      event: Event;
      events_before: Event[];
      events_after: Event[];
      start: string;
      end: string;
      state: Event[];
    };
    expect(texts([...context.events_before.reverse(), context.event, ...context.events_after])).toEqual([
      "2",
      "3",
      "4",
      "5",
      "6",
    ]);
    expect(texts((await messages(t, roomId, "alice", { from: context.start, limit: 2 })).chunk)).toEqual([
      "1",
      "0",
    ]);
    expect(
      texts((await messages(t, roomId, "alice", { dir: "f", from: context.end, limit: 5 })).chunk),
    ).toEqual(["7", "8"]);
    expect(context.state.some(({ type }) => type === "m.room.create")).toBe(true);
  });
});
