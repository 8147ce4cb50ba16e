import { describe, expect, test } from "vitest";
import type { JsonObject } from "../../src/matrix/json.ts";
import { relating } from "../worker-roomserver/support/room-parts.ts";
import { type Client, testServer } from "./support/clients.ts";

const v1 = "/_matrix/client/v1";
const v3 = "/_matrix/client/v3";
const q = encodeURIComponent;

type Event = JsonObject & { event_id: string; type: string; content: JsonObject; unsigned: JsonObject };
const events = (body: JsonObject, name = "chunk") => body[name] as Event[];
const idsOf = (list: readonly { event_id: string }[]) => list.map(({ event_id }) => event_id);
const refusal = (status: number, errcode: string) => ({ status, body: { errcode } });

/** Alice and bob in a public room of alice's. */
async function together() {
  const server = await testServer();
  const alice = await server.client("alice");
  const bob = await server.client("bob");
  const roomId = await alice.createRoom();
  await bob.join(roomId);
  return { ...server, alice, bob, roomId };
}

const edit = (eventId: string, body: string) =>
  relating("m.replace", eventId, { msgtype: "m.text", body: `* ${body}`, "m.new_content": { body } });
const text = (body: string): JsonObject => ({ msgtype: "m.text", body });

describe("relations", () => {
  test("of all kinds, of one kind, and of one type, from page to page", async () => {
    const { alice, bob, roomId } = await together();
    const root = await alice.send(roomId, text("root"));
    const reaction = await bob.send(
      roomId,
      { "m.relates_to": { rel_type: "m.annotation", event_id: root, key: "x" } },
      "m.reaction",
    );
    const reply = await bob.send(roomId, relating("m.thread", root, text("reply")));
    const sticker = await bob.send(roomId, relating("m.thread", root, { body: "s" }), "m.sticker");
    const of = async (rest: string) => {
      const { status, body } = await alice.get(`${v1}/rooms/${roomId}/relations/${root}${rest}`);
      expect(status).toBe(200);
      return idsOf(events(body));
    };
    expect(await of("")).toEqual([sticker, reply, reaction]);
    expect(await of("?dir=f")).toEqual([reaction, reply, sticker]);
    expect(await of("/m.thread")).toEqual([sticker, reply]);
    expect(await of("/m.thread/m.sticker")).toEqual([sticker]);
    const first = (await alice.get(`${v1}/rooms/${roomId}/relations/${root}?limit=2`)).body;
    expect(idsOf(events(first))).toEqual([sticker, reply]);
    expect(await of(`?limit=2&from=${first.next_batch}`)).toEqual([reaction]);
  });

  test("say how deep they went to who asks for it, and to nobody else", async () => {
    const { alice, roomId } = await together();
    const root = await alice.send(roomId, text("root"));
    const reply = await alice.send(roomId, relating("m.thread", root, text("reply")));
    const below = await alice.send(roomId, edit(reply, "better"));
    const path = `${v1}/rooms/${roomId}/relations/${root}`;
    const deep = (await alice.get(`${path}?recurse=true`)).body;
    expect(idsOf(events(deep))).toEqual([below, reply]);
    expect(deep.recursion_depth).toBe(3);
    expect((await alice.get(`${path}?recurse=false`)).body.recursion_depth).toBe(0);
    expect((await alice.get(path)).body).not.toHaveProperty("recursion_depth");
  });

  test.each(["limit=0", "limit=x", "dir=x", "from=x", "to=x", "recurse=1"])("refuse %s", async (query) => {
    const { alice, roomId } = await together();
    const root = await alice.send(roomId, text("root"));
    const answer = await alice.get(`${v1}/rooms/${roomId}/relations/${root}?${query}`);
    expect(answer).toMatchObject(refusal(400, "M_INVALID_PARAM"));
  });

  test("of an event that one may not see are not there", async () => {
    const { alice, client, roomId } = await together();
    const root = await alice.send(roomId, text("root"));
    const path = `${v1}/rooms/${roomId}/relations/`;
    const carol = await client("carol");
    expect(await carol.get(path + root)).toMatchObject(refusal(404, "M_NOT_FOUND"));
    expect(await alice.get(`${path}$nothing`)).toMatchObject(refusal(404, "M_NOT_FOUND"));
  });
});

test("threads: all of them, and those that one takes part in", async () => {
  const { alice, bob, roomId } = await together();
  const [one, other] = [await alice.send(roomId, text("1")), await bob.send(roomId, text("2"))];
  await bob.send(roomId, relating("m.thread", one, text("a")));
  const latest = await bob.send(roomId, relating("m.thread", other, text("b")));
  const list = async (query: string) =>
    events((await alice.get(`${v1}/rooms/${roomId}/threads${query}`)).body);
  expect(idsOf(await list(""))).toEqual([other, one]);
  expect(idsOf(await list("?include=participated"))).toEqual([one]);
  const [thread] = await list("?limit=1");
  expect(thread?.unsigned).toMatchObject({
    membership: "join",
    "m.relations": {
      "m.thread": {
        count: 1,
        current_user_participated: false,
        latest_event: { event_id: latest, unsigned: { membership: "join" } },
      },
    },
  });
  for (const query of ["?include=some", "?limit=0", "?from=x"]) {
    const answer = await alice.get(`${v1}/rooms/${roomId}/threads${query}`);
    expect(answer).toMatchObject(refusal(400, "M_INVALID_PARAM"));
  }
});

describe("unsigned", () => {
  /** All the places in which alice gets to see an event that comes last but for what relates to it. */
  async function everywhere({ get }: Client, roomId: string, eventId: string): Promise<Event[]> {
    const base = `${v3}/rooms/${roomId}`;
    const page = (await get(`${base}/messages?dir=b&limit=50`)).body;
    const around = (await get(`${base}/context/${eventId}`)).body;
    const synced = (await get(`${v3}/sync`)).body as {
      rooms: { join: { [roomId: string]: { timeline: { events: Event[] } } } };
    };
    const one = (await get(`${base}/event/${eventId}`)).body as Event;
    const lists = [events(page), [around.event as Event], synced.rooms.join[roomId]!.timeline.events, [one]];
    return lists.map((list) => list.find((event) => event.event_id === eventId)!);
  }

  test("is the same wherever an event is shown", async () => {
    const { alice, bob, roomId } = await together();
    const eventId = await alice.send(roomId, text("x"));
    const edited = await alice.send(roomId, edit(eventId, "y"));
    const referring = await bob.send(roomId, relating("m.reference", eventId, text("see")));
    const reply = await bob.send(roomId, relating("m.thread", eventId, text("reply")));
    const seen = await everywhere(alice, roomId, eventId);
    for (const event of seen) {
      expect(event.unsigned).toMatchObject({
        age: expect.any(Number),
        membership: "join",
        transaction_id: expect.any(String),
        "m.relations": {
          "m.replace": { event_id: edited },
          "m.reference": { chunk: [{ event_id: referring }] },
          "m.thread": { latest_event: { event_id: reply }, count: 1, current_user_participated: true },
        },
      });
    }
    for (const event of await everywhere(bob, roomId, eventId)) {
      expect(event.unsigned).not.toHaveProperty("transaction_id");
    }
  });

  test("leaves out what an ignored user relates, and has it again after", async () => {
    const { alice, bob, roomId } = await together();
    const eventId = await alice.send(roomId, text("x"));
    const said = await bob.send(roomId, relating("m.thread", eventId, text("reply")));
    const list = `${v3}/user/${q(alice.userId)}/account_data/m.ignored_user_list`;
    await alice.ask("PUT", list, { ignored_users: { [bob.userId]: {} } });
    for (const event of await everywhere(alice, roomId, eventId)) {
      expect(event.unsigned).not.toHaveProperty("m.relations");
    }
    const shown = async () => {
      const page = await alice.get(`${v3}/rooms/${roomId}/messages?dir=b&limit=50`);
      const around = await alice.get(`${v3}/rooms/${roomId}/context/${eventId}`);
      const related = await alice.get(`${v1}/rooms/${roomId}/relations/${eventId}`);
      const lists = [events(page.body), events(around.body, "events_after"), events(related.body)];
      return lists.map((each) => idsOf(each).includes(said));
    };
    expect(await shown()).toEqual([false, false, false]);
    // Rooms look the same to those who ignore somebody: bob's join is there.
    const page = events((await alice.get(`${v3}/rooms/${roomId}/messages?dir=b&limit=50`)).body);
    expect(page.some(({ state_key }) => state_key === bob.userId)).toBe(true);
    await alice.ask("PUT", list, { ignored_users: {} });
    expect(await shown()).toEqual([true, true, true]);
  });

  test("tells of a redaction, and of what a state event has replaced", async () => {
    const { alice, roomId } = await together();
    await alice.ask("PUT", `${v3}/rooms/${roomId}/state/m.room.topic`, { topic: "a" });
    const put = await alice.ask("PUT", `${v3}/rooms/${roomId}/state/m.room.topic`, { topic: "b" });
    for (const { unsigned } of await everywhere(alice, roomId, put.body.event_id as string)) {
      expect(unsigned).toMatchObject({ prev_content: { topic: "a" }, replaces_state: expect.any(String) });
    }
    const eventId = await alice.send(roomId, text("x"));
    const redaction = await alice.send(roomId, { redacts: eventId, reason: "r" }, "m.room.redaction");
    for (const { content, unsigned } of await everywhere(alice, roomId, eventId)) {
      expect(content).toEqual({});
      expect(unsigned.redacted_because).toMatchObject({ event_id: redaction, redacts: eventId });
    }
  });

  test("says what the user was in the room when each event was sent", async () => {
    const { alice, client } = await together();
    const carol = await client("carol");
    const roomId = await alice.createRoom({ preset: "public_chat" });
    const before = await alice.send(roomId, text("before"));
    await alice.ask("POST", `${v3}/rooms/${roomId}/invite`, { user_id: carol.userId });
    const invited = await alice.send(roomId, text("invited"));
    await carol.join(roomId);
    const joined = await alice.send(roomId, text("joined"));
    // A new member event does not begin a new stay.
    await carol.ask("PUT", `${v3}/profile/${q(carol.userId)}/displayname`, { displayname: "C" });
    const page = events((await carol.get(`${v3}/rooms/${roomId}/messages?dir=f&limit=50`)).body);
    const membershipAt = (eventId: string) =>
      page.find(({ event_id }) => event_id === eventId)?.unsigned.membership;
    expect([before, invited, joined].map(membershipAt)).toEqual(["leave", "invite", "join"]);
    const own = page.filter(({ state_key }) => state_key === carol.userId);
    expect(own.map(({ unsigned }) => unsigned.membership)).toEqual(["invite", "join", "join"]);
  });
});

describe("sending", () => {
  const send = (who: Client, roomId: string, content: JsonObject, type = "m.room.message", txnId = "t") =>
    who.ask("PUT", `${v3}/rooms/${roomId}/send/${type}/${txnId}`, content);

  test("starts no thread from what relates to something, be it a reply within one", async () => {
    const { alice, roomId } = await together();
    const root = await alice.send(roomId, text("root"));
    const reply = await alice.send(roomId, relating("m.thread", root, text("reply")));
    const answer = await send(alice, roomId, relating("m.thread", reply, text("nested")));
    expect(answer).toMatchObject(refusal(400, "M_UNKNOWN"));
    const rich = await alice.send(roomId, {
      ...text("r"),
      "m.relates_to": { "m.in_reply_to": { event_id: root } },
    });
    expect(await send(alice, roomId, relating("m.thread", rich, text("fine")))).toMatchObject({
      status: 200,
    });
  });

  test("refuses a second annotation of a kind, until the first is redacted", async () => {
    const { alice, bob, roomId } = await together();
    const root = await alice.send(roomId, text("root"));
    const content = (key: string): JsonObject => ({
      "m.relates_to": { rel_type: "m.annotation", event_id: root, key },
    });
    const both = await Promise.all(["1", "2"].map((t) => send(bob, roomId, content("x"), "m.reaction", t)));
    expect(both.map(({ status }) => status).sort()).toEqual([200, 400]);
    const [first, second] = [
      both.find(({ status }) => status === 200)!,
      both.find(({ status }) => status === 400)!,
    ];
    expect(second.body.errcode).toBe("M_DUPLICATE_ANNOTATION");
    // The same request again is answered as before.
    const again = await send(bob, roomId, content("x"), "m.reaction", both.indexOf(first) === 0 ? "1" : "2");
    expect(again.body).toEqual(first.body);
    for (const [who, key, type] of [
      [bob, "y", "m.reaction"],
      [bob, "x", "org.example.other"],
      [alice, "x", "m.reaction"],
    ] as const) {
      expect(await send(who, roomId, content(key), type, "3")).toMatchObject({ status: 200 });
    }
    await bob.ask("PUT", `${v3}/rooms/${roomId}/redact/${first.body.event_id}/r`, {});
    expect(await send(bob, roomId, content("x"), "m.reaction", "4")).toMatchObject({ status: 200 });
    expect(await send(bob, roomId, content("x"), "m.reaction", "5")).toMatchObject(
      refusal(400, "M_DUPLICATE_ANNOTATION"),
    );
  });

  test.each(["10", "11"])("redacts by an event, in room version %s too", async (room_version) => {
    const { alice, bob } = await together();
    const roomId = await alice.createRoom({ preset: "public_chat", room_version });
    await bob.join(roomId);
    const eventId = await alice.send(roomId, text("x"));
    const redaction = { redacts: eventId, reason: "r" };
    expect(await send(bob, roomId, redaction, "m.room.redaction")).toMatchObject(refusal(403, "M_FORBIDDEN"));
    const sent = await send(alice, roomId, redaction, "m.room.redaction");
    expect(await send(alice, roomId, redaction, "m.room.redaction")).toMatchObject({ body: sent.body });
    const { body } = await alice.get(`${v3}/rooms/${roomId}/event/${eventId}`);
    expect(body.content).toEqual({});
    const shown = (await alice.get(`${v3}/rooms/${roomId}/event/${sent.body.event_id}`)).body;
    expect(shown).toMatchObject({ redacts: eventId, content: { redacts: eventId, reason: "r" } });
  });

  test("sets an alias for the room only if it leads there", async () => {
    const { alice, bob, roomId, serverName } = await together();
    const alias = `#a:${serverName}`;
    const path = `${v3}/rooms/${roomId}/state/m.room.canonical_alias`;
    expect(await alice.ask("PUT", path, { alias })).toMatchObject(refusal(400, "M_BAD_ALIAS"));
    expect(await alice.ask("PUT", path, { alias: "a" })).toMatchObject(refusal(400, "M_INVALID_PARAM"));
    expect(await alice.ask("PUT", path, { alt_aliases: "a" })).toMatchObject(refusal(400, "M_BAD_JSON"));
    const directory = `${v3}/directory/room/${q(alias)}`;
    await bob.ask("PUT", directory, { room_id: roomId });
    expect(await alice.ask("PUT", path, { alias, alt_aliases: [alias] })).toMatchObject({ status: 200 });
    await bob.ask("DELETE", directory);
    // What stood there before is not asked about again.
    expect(await alice.ask("PUT", path, { alt_aliases: [alias] })).toMatchObject({ status: 200 });
  });
});

describe("finding an event by its time", () => {
  test("goes in the direction, and stays within what one may see", async () => {
    const { alice, client, roomId } = await together();
    const eventId = await alice.send(roomId, text("x"));
    const { origin_server_ts: ts } = (await alice.get(`${v3}/rooms/${roomId}/event/${eventId}`)).body;
    const at = (who: Client, time: number, dir: string) =>
      who.get(`${v1}/rooms/${roomId}/timestamp_to_event?ts=${time}&dir=${dir}`);
    const later = (ts as number) + 1_000_000;
    expect((await at(alice, later, "b")).body).toEqual({ event_id: eventId, origin_server_ts: ts });
    expect(await at(alice, later, "f")).toMatchObject(refusal(404, "M_NOT_FOUND"));
    expect(await at(alice, 0, "b")).toMatchObject(refusal(404, "M_NOT_FOUND"));
    const first = (await at(alice, 0, "f")).body.event_id;
    expect((await alice.get(`${v3}/rooms/${roomId}/event/${first}`)).body.type).toBe("m.room.create");
    const carol = await client("carol");
    expect(await at(carol, 0, "f")).toMatchObject(refusal(403, "M_FORBIDDEN"));
    expect(await at(alice, 0, "x")).toMatchObject(refusal(400, "M_INVALID_PARAM"));
    const nowhere = await alice.get(`${v1}/rooms/${roomId}/timestamp_to_event?dir=f`);
    expect(nowhere).toMatchObject(refusal(400, "M_MISSING_PARAM"));
  });
});

describe("what is told of rooms to those outside", () => {
  test("a summary, by id and alias, with and without a token, and under its old name", async () => {
    const { alice, ask, client, serverName } = await together();
    const roomId = await alice.createRoom({
      preset: "public_chat",
      name: "Den",
      room_alias_name: "den",
      initial_state: [{ type: "m.room.encryption", content: { algorithm: "m.megolm.v1.aes-sha2" } }],
    });
    const carol = await client("carol");
    const shown = {
      room_id: roomId,
      name: "Den",
      num_joined_members: 1,
      join_rule: "public",
      room_version: "12",
      encryption: "m.megolm.v1.aes-sha2",
    };
    for (const name of [roomId, `#den:${serverName}`]) {
      const path = `${v1}/room_summary/${q(name)}`;
      expect(await alice.get(path)).toMatchObject({ status: 200, body: { ...shown, membership: "join" } });
      expect((await carol.get(path)).body).toMatchObject({ membership: "leave" });
      const { status, body } = await ask("GET", path);
      expect(status).toBe(200);
      expect(body).toMatchObject(shown);
      expect(body).not.toHaveProperty("membership");
      const old = "/_matrix/client/unstable/im.nheko.summary";
      for (const unstable of [`${old}/rooms/${q(name)}/summary`, `${old}/summary/${q(name)}`]) {
        expect((await ask("GET", unstable)).body).toEqual({
          ...body,
          "im.nheko.summary.room_version": "12",
          "im.nheko.summary.encryption": "m.megolm.v1.aes-sha2",
        });
      }
    }
    const closed = await alice.createRoom({ preset: "private_chat" });
    expect(await carol.get(`${v1}/room_summary/${closed}`)).toMatchObject(refusal(404, "M_NOT_FOUND"));
    expect(await carol.get(`${v1}/room_summary/x`)).toMatchObject(refusal(400, "M_INVALID_PARAM"));
  });

  test("a space's tree, in pages", async () => {
    const { alice, client, serverName } = await together();
    const space = await alice.createRoom({ preset: "public_chat", creation_content: { type: "m.space" } });
    const rooms = [await alice.createRoom(), await alice.createRoom()];
    for (const [i, room] of rooms.entries()) {
      const path = `${v3}/rooms/${space}/state/m.space.child/${room}`;
      await alice.ask("PUT", path, { via: [serverName], order: `${i}`, suggested: i === 0 });
    }
    const ids = (body: JsonObject) => (body.rooms as { room_id: string }[]).map(({ room_id }) => room_id);
    const path = `${v1}/rooms/${space}/hierarchy`;
    const carol = await client("carol");
    const { body } = await carol.get(`${path}?limit=2`);
    expect(ids(body)).toEqual([space, rooms[0]]);
    expect(ids((await carol.get(`${path}?limit=2&from=${body.next_batch}`)).body)).toEqual([rooms[1]]);
    expect(ids((await carol.get(`${path}?suggested_only=true`)).body)).toEqual([space, rooms[0]]);
    expect(ids((await carol.get(`${path}?max_depth=0`)).body)).toEqual([space]);
    for (const query of ["limit=0", "limit=x", "max_depth=-1", "from=x", "suggested_only=x"]) {
      expect(await carol.get(`${path}?${query}`)).toMatchObject(refusal(400, "M_INVALID_PARAM"));
    }
    const other = await carol.get(`${path}?max_depth=1&from=${body.next_batch}`);
    expect(other).toMatchObject(refusal(400, "M_INVALID_PARAM"));
    const closed = await alice.createRoom({ preset: "private_chat" });
    expect(await carol.get(`${v1}/rooms/${closed}/hierarchy`)).toMatchObject(refusal(403, "M_FORBIDDEN"));
  });

  test("the directory of public rooms, searched and in pages", async () => {
    const { alice, bob, ask, serverName } = await together();
    const named = (name: string, more: JsonObject = {}) =>
      alice.createRoom({ preset: "public_chat", visibility: "public", name, ...more });
    const big = await named("Big");
    await bob.join(big);
    const small = await named("Small talk");
    const space = await named("Space", { creation_content: { type: "m.space" } });
    const list = (body: JsonObject) => (body.chunk as { room_id: string }[]).map(({ room_id }) => room_id);
    const { body } = await ask("GET", `${v3}/publicRooms?limit=1`);
    expect([list(body), body.total_room_count_estimate]).toEqual([[big], 3]);
    const rest = await ask("GET", `${v3}/publicRooms?since=${q(body.next_batch as string)}`);
    expect(list(rest.body).sort()).toEqual([small, space].sort());
    const search = async (filter: JsonObject, more: JsonObject = {}) =>
      list((await alice.ask("POST", `${v3}/publicRooms?server=${serverName}`, { filter, ...more })).body);
    expect(await search({ generic_search_term: "TALK" })).toEqual([small]);
    expect(await search({ room_types: ["m.space"] })).toEqual([space]);
    expect((await search({ room_types: [null] })).sort()).toEqual([big, small].sort());
    expect(await search({}, { third_party_instance_id: "irc" })).toEqual([]);
    expect(await search({}, { include_all_networks: true })).toHaveLength(3);

    expect(await ask("POST", `${v3}/publicRooms`, { body: {} })).toMatchObject(
      refusal(401, "M_MISSING_TOKEN"),
    );
    expect(await ask("GET", `${v3}/publicRooms?server=other.example`)).toMatchObject(
      refusal(502, "M_UNKNOWN"),
    );
    for (const query of ["limit=x", "since=x"]) {
      expect(await ask("GET", `${v3}/publicRooms?${query}`)).toMatchObject(refusal(400, "M_INVALID_PARAM"));
    }
    const both = { include_all_networks: true, third_party_instance_id: "irc" };
    expect(await alice.ask("POST", `${v3}/publicRooms`, both)).toMatchObject(refusal(400, "M_INVALID_PARAM"));
    const odd = { filter: { room_types: [1] } };
    expect(await alice.ask("POST", `${v3}/publicRooms`, odd)).toMatchObject(refusal(400, "M_BAD_JSON"));

    await alice.ask("PUT", `${v3}/directory/list/room/${small}`, { visibility: "private" });
    expect(await search({ generic_search_term: "talk" })).toEqual([]);
  });
});

describe("an upgrade", () => {
  test("makes the room that takes the place", async () => {
    const { alice, bob } = await together();
    const roomId = await alice.createRoom({ preset: "public_chat", room_version: "10", name: "Den" });
    await bob.join(roomId);
    const upgrade = (who: Client, body: JsonObject) => who.ask("POST", `${v3}/rooms/${roomId}/upgrade`, body);
    expect(await upgrade(bob, { new_version: "12" })).toMatchObject(refusal(403, "M_FORBIDDEN"));
    expect(await upgrade(alice, { new_version: "none" })).toMatchObject(
      refusal(400, "M_UNSUPPORTED_ROOM_VERSION"),
    );
    expect(await upgrade(alice, {})).toMatchObject(refusal(400, "M_MISSING_PARAM"));
    const { status, body } = await upgrade(alice, { new_version: "12", additional_creators: [bob.userId] });
    expect(status).toBe(200);
    const replacement = body.replacement_room as string;
    const content = async (room: string, type: string) =>
      (await alice.get(`${v3}/rooms/${room}/state/${type}`)).body;
    expect(await content(roomId, "m.room.tombstone")).toMatchObject({ replacement_room: replacement });
    expect(await content(replacement, "m.room.name")).toEqual({ name: "Den" });
    expect(await content(replacement, "m.room.create")).toMatchObject({
      room_version: "12",
      predecessor: { room_id: roomId },
      additional_creators: [bob.userId],
    });
  });
});

describe("a room's members and state", () => {
  test("by membership, by another, or by either", async () => {
    const { alice, bob, client, roomId } = await together();
    const carol = await client("carol");
    await alice.ask("POST", `${v3}/rooms/${roomId}/invite`, { user_id: carol.userId });
    await bob.ask("POST", `${v3}/rooms/${roomId}/leave`, {});
    const list = async (query: string) => {
      const { body } = await alice.get(`${v3}/rooms/${roomId}/members${query}`);
      return events(body)
        .map(({ state_key }) => (state_key as string).slice(1, 2))
        .sort();
    };
    expect(await list("")).toEqual(["a", "b", "c"]);
    expect(await list("?membership=join")).toEqual(["a"]);
    expect(await list("?not_membership=join")).toEqual(["b", "c"]);
    // Either is enough where both are given.
    expect(await list("?membership=join&not_membership=leave")).toEqual(["a", "c"]);
    const { body } = await alice.get(`${v3}/rooms/${roomId}/members?membership=x`);
    expect(body.errcode).toBe("M_INVALID_PARAM");
  });

  test("a state event as its content or whole", async () => {
    const { alice, roomId } = await together();
    await alice.ask("PUT", `${v3}/rooms/${roomId}/state/m.room.topic`, { topic: "t" });
    const path = `${v3}/rooms/${roomId}/state/m.room.topic`;
    expect((await alice.get(path)).body).toEqual({ topic: "t" });
    expect((await alice.get(`${path}?format=event`)).body).toMatchObject({
      type: "m.room.topic",
      state_key: "",
      room_id: roomId,
      sender: alice.userId,
      content: { topic: "t" },
    });
  });

  test("are not for those who have forgotten the room", async () => {
    const { bob, roomId } = await together();
    await bob.ask("POST", `${v3}/rooms/${roomId}/leave`, {});
    const paths = ["messages?dir=b", "state", "members"].map((path) => `${v3}/rooms/${roomId}/${path}`);
    for (const path of paths) expect(await bob.get(path)).toMatchObject({ status: 200 });
    await bob.ask("POST", `${v3}/rooms/${roomId}/forget`);
    for (const path of paths) expect(await bob.get(path)).toMatchObject(refusal(403, "M_FORBIDDEN"));
  });

  test("and messages, of a world-readable room, are for anybody", async () => {
    const { alice, client } = await together();
    const roomId = await alice.createRoom({
      preset: "private_chat",
      initial_state: [
        { type: "m.room.history_visibility", content: { history_visibility: "world_readable" } },
      ],
    });
    const eventId = await alice.send(roomId, text("x"));
    const carol = await client("carol");
    for (const path of ["messages?dir=b", "state", "members", `context/${eventId}`, `event/${eventId}`]) {
      expect(await carol.get(`${v3}/rooms/${roomId}/${path}`)).toMatchObject({ status: 200 });
    }
    const { body } = await carol.get(`${v3}/rooms/${roomId}/event/${eventId}`);
    expect((body as Event).unsigned.membership).toBe("leave");
    expect(await carol.get(`${v3}/rooms/${roomId}/joined_members`)).toMatchObject(
      refusal(403, "M_FORBIDDEN"),
    );
  });
});

describe("creating a room", () => {
  test.each<[what: string, body: JsonObject, status: number, errcode: string]>([
    ["an unknown version", { room_version: "x" }, 400, "M_UNSUPPORTED_ROOM_VERSION"],
    ["a version that is no text", { room_version: 1 }, 400, "M_BAD_JSON"],
    ["a preset that is none", { preset: "x" }, 400, "M_BAD_JSON"],
    ["an alias with a colon", { room_alias_name: "a:b" }, 400, "M_INVALID_PARAM"],
    ["an invite by e-mail", { invite_3pid: [{ medium: "email" }] }, 403, "M_THREEPID_DENIED"],
    [
      "levels by which its creator may not name it",
      {
        name: "x",
        room_version: "11",
        power_level_content_override: { users: {}, events: { "m.room.name": 50 } },
      },
      400,
      "M_INVALID_ROOM_STATE",
    ],
    [
      "a second create event",
      { initial_state: [{ type: "m.room.create", content: {} }] },
      400,
      "M_INVALID_ROOM_STATE",
    ],
  ])("refuses %s", async (_, body, status, errcode) => {
    const { alice } = await together();
    expect(await alice.ask("POST", `${v3}/createRoom`, body)).toMatchObject(refusal(status, errcode));
    expect((await alice.get(`${v3}/joined_rooms`)).body.joined_rooms).toHaveLength(1);
  });

  test("writes the events in the order of the specification", async () => {
    const { alice, bob } = await together();
    const roomId = await alice.createRoom({
      preset: "trusted_private_chat",
      room_alias_name: "den",
      initial_state: [
        { type: "org.example.x", state_key: "k", content: { a: 1 } },
        { type: "m.room.guest_access", content: { guest_access: "forbidden" } },
      ],
      name: "Den",
      topic: "T",
      invite: [bob.userId],
      is_direct: true,
    });
    const { body } = await alice.get(`${v3}/rooms/${roomId}/messages?dir=f&limit=50`);
    expect(events(body).map(({ type }) => type)).toEqual([
      "m.room.create",
      "m.room.member",
      "m.room.power_levels",
      "m.room.canonical_alias",
      "m.room.join_rules",
      "m.room.history_visibility",
      "org.example.x",
      "m.room.guest_access",
      "m.room.name",
      "m.room.topic",
      "m.room.member",
    ]);
    expect(events(body).at(-1)?.content).toMatchObject({ membership: "invite", is_direct: true });
    expect(events(body)[0]?.content).toMatchObject({ additional_creators: [bob.userId] });
  });

  test("takes an alias that is free, and no other", async () => {
    const { alice, bob } = await together();
    await alice.createRoom({ room_alias_name: "den" });
    const again = await bob.ask("POST", `${v3}/createRoom`, { room_alias_name: "den" });
    expect(again).toMatchObject(refusal(400, "M_ROOM_IN_USE"));
  });
});

describe("who comes and goes", () => {
  test.each<[path: string, body: JsonObject, status: number, errcode: string]>([
    // Servers elsewhere are asked, and from a test there is no way to any.
    ["rooms/!nowhere:example.org/join", {}, 502, "M_UNKNOWN"],
    ["join/!aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", {}, 404, "M_NOT_FOUND"],
    ["join/!aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa?via=SERVER&via=example.org", {}, 502, "M_UNKNOWN"],
    ["rooms/!aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/join?server_name=example.org", {}, 502, "M_UNKNOWN"],
    ["knock/!aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa?server_name=SERVER", {}, 404, "M_NOT_FOUND"],
    [
      "knock/!aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa?server_name=SERVER&via=example.org",
      {},
      502,
      "M_UNKNOWN",
    ],
    ["join/x?via=example.org", {}, 404, "M_NOT_FOUND"],
    ["join/%23nowhere%3Aexample.org", {}, 502, "M_UNKNOWN"],
    ["join/x", {}, 404, "M_NOT_FOUND"],
    ["rooms/ROOM/kick", { user_id: "@nobody:SERVER" }, 403, "M_FORBIDDEN"],
    ["rooms/ROOM/kick", {}, 400, "M_MISSING_PARAM"],
    ["rooms/ROOM/kick", { user_id: "nobody" }, 400, "M_INVALID_PARAM"],
    ["rooms/ROOM/unban", { user_id: "@bob:SERVER" }, 403, "M_FORBIDDEN"],
    ["rooms/ROOM/invite", { user_id: "@bob:SERVER" }, 403, "M_FORBIDDEN"],
    ["rooms/ROOM/invite", { user_id: "@nobody:SERVER" }, 404, "M_NOT_FOUND"],
    ["rooms/ROOM/invite", { medium: "email", address: "a@b.c", id_server: "x" }, 403, "M_FORBIDDEN"],
    ["rooms/ROOM/invite", {}, 400, "M_MISSING_PARAM"],
    ["rooms/ROOM/ban", { user_id: "@bob:SERVER", reason: 1 }, 400, "M_BAD_JSON"],
    ["knock/ROOM", {}, 403, "M_FORBIDDEN"],
    ["rooms/ROOM/forget", {}, 400, "M_UNKNOWN"],
  ])("POST %s with %j is answered %i", async (path, body, status, errcode) => {
    const { alice, roomId, serverName } = await together();
    const filled = (text: string) => text.replace("ROOM", roomId).replace("SERVER", serverName);
    const answer = await alice.ask("POST", `${v3}/${filled(path)}`, JSON.parse(filled(JSON.stringify(body))));
    expect(answer).toMatchObject(refusal(status, errcode));
  });

  test("leaves a reason with each change", async () => {
    const { alice, bob, roomId } = await together();
    const member = async () =>
      (await alice.get(`${v3}/rooms/${roomId}/state/m.room.member/${q(bob.userId)}`)).body;
    const target = { user_id: bob.userId };
    const steps: [who: Client, action: string, body: JsonObject, membership: string][] = [
      [alice, "kick", target, "leave"],
      [alice, "ban", target, "ban"],
      [alice, "unban", target, "leave"],
      [alice, "invite", target, "invite"],
      [bob, "join", {}, "join"],
      [bob, "leave", {}, "leave"],
    ];
    for (const [who, action, body, membership] of steps) {
      const answer = await who.ask("POST", `${v3}/rooms/${roomId}/${action}`, { ...body, reason: action });
      expect(answer.status).toBe(200);
      expect(await member()).toMatchObject({ membership, reason: action });
    }
  });

  test("knocks where that is what the room wants, and again is no second knock", async () => {
    const { alice, bob } = await together();
    const rule = { type: "m.room.join_rules", content: { join_rule: "knock" } };
    const roomId = await alice.createRoom({ preset: "private_chat", initial_state: [rule] });
    const knock = (body: JsonObject) => bob.ask("POST", `${v3}/knock/${roomId}`, body);
    expect(await knock({ reason: "please" })).toMatchObject({ status: 200, body: { room_id: roomId } });
    expect(await knock({ reason: "please!" })).toMatchObject({ status: 200 });
    const member = await alice.get(`${v3}/rooms/${roomId}/state/m.room.member/${q(bob.userId)}`);
    expect(member.body).toMatchObject({ membership: "knock", reason: "please" });
  });
});
