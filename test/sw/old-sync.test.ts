import { describe, expect, test } from "vitest";
import type { JsonObject } from "../../src/matrix/json.ts";
import { createRoom, good, home, join, type Person, refused, say, v3 } from "./support/people.ts";

type Shown = JsonObject & { type: string; content: JsonObject; room_id: string; event_id: string };
type Chunk = { start: string; end: string; chunk: Shown[] };

const events = async (who: Person, query = "") =>
  (await good(who.get(`${v3}/events?${query}`))) as unknown as Chunk;
const bodies = ({ chunk }: { chunk: Shown[] }) =>
  chunk.filter(({ type }) => type === "m.room.message").map(({ content }) => content.body);

async function people() {
  const t = await home();
  return { ...t, alice: await t.person("alice"), bob: await t.person("bob") };
}

describe("GET /events", () => {
  test("goes on from where it was, through what the user may see, the oldest first", async () => {
    const { alice, bob } = await people();
    const { end } = await events(alice);
    const roomId = await createRoom(alice);
    const hidden = await createRoom(bob);
    await say(bob, hidden, "none of yours");
    await join(bob, roomId);
    await say(bob, roomId, "one");
    await say(alice, roomId, "two");
    const first = await events(alice, `from=${end}`);
    expect(bodies(first)).toEqual(["one", "two"]);
    expect(first.start).toBe(end);
    expect(first.chunk[0]).toMatchObject({ type: "m.room.create", room_id: roomId });
    await say(bob, roomId, "three");
    expect(bodies(await events(alice, `from=${first.end}`))).toEqual(["three"]);
    expect((await events(alice, `from=${(await events(alice)).end}`)).chunk).toEqual([]);
  });

  test("waits for an event, and for nothing else", async () => {
    const { alice, bob, node } = await people();
    const roomId = await createRoom(alice);
    await join(bob, roomId);
    const { end } = await events(alice);
    const waiting = events(alice, `from=${end}&timeout=20000`);
    const requester = (await node.users.authenticate(bob.token)).requester;
    await node.typing.set(requester, roomId, bob.userId, true, 30_000);
    await node.typing.set(requester, roomId, bob.userId, false, 0);
    await say(bob, roomId, "now");
    expect(bodies(await waiting)).toEqual(["now"]);
  });

  test("tells of an invite, of one's leave, and of nothing after it", async () => {
    const { alice, bob } = await people();
    const { end } = await events(bob);
    const roomId = await createRoom(alice, { preset: "private_chat", invite: [bob.userId] });
    await say(alice, roomId, "before");
    const invited = await events(bob, `from=${end}`);
    expect(invited.chunk).toMatchObject([{ type: "m.room.member", content: { membership: "invite" } }]);
    await join(bob, roomId);
    await good(bob.post(`${v3}/rooms/${roomId}/leave`));
    await say(alice, roomId, "after");
    const left = await events(bob, `from=${invited.end}`);
    expect(left.chunk.map(({ content }) => content.membership)).toEqual(["join", "leave"]);
  });

  test("leaves out what somebody says who is ignored", async () => {
    const { alice, bob } = await people();
    const roomId = await createRoom(alice);
    await join(bob, roomId);
    const ignored = { ignored_users: { [bob.userId]: {} } };
    await good(alice.put(`${v3}/user/${alice.userId}/account_data/m.ignored_user_list`, ignored));
    const { end } = await events(alice);
    await say(bob, roomId, "noise");
    await say(alice, roomId, "signal");
    expect(bodies(await events(alice, `from=${end}`))).toEqual(["signal"]);
  });

  test("looks into a room that is open to all, also for a guest, and into no other", async () => {
    const { alice, guest } = await people();
    const open = await createRoom(alice, {
      initial_state: [
        { type: "m.room.history_visibility", content: { history_visibility: "world_readable" } },
      ],
    });
    const other = await createRoom(alice);
    const visitor = await guest();
    const { end } = await events(visitor, `room_id=${open}`);
    await say(alice, other, "elsewhere");
    await say(alice, open, "for all");
    expect(bodies(await events(visitor, `room_id=${open}&from=${end}`))).toEqual(["for all"]);
    expect(await visitor.get(`${v3}/events?room_id=${other}`)).toMatchObject(refused(403, "M_FORBIDDEN"));
    expect(await good(visitor.get(`${v3}/rooms/${open}/initialSync`))).not.toHaveProperty("membership");
  });

  test.each(["x", "h", "h1.5", "h-1", "h99999999"])("from=%s was never given out", async (from) => {
    const { alice } = await people();
    expect(await alice.get(`${v3}/events?from=${from}`)).toMatchObject(refused(400, "M_INVALID_PARAM"));
  });
});

test("GET /initialSync: rooms as they are, invites, and left ones where they are wanted", async () => {
  const { alice, bob } = await people();
  const joined = await createRoom(alice, { name: "Garden", visibility: "public" });
  const left = await createRoom(alice);
  const invited = await createRoom(alice, { invite: [bob.userId] });
  await join(bob, joined);
  await join(bob, left);
  await good(bob.post(`${v3}/rooms/${left}/leave`));
  await good(bob.put(`${v3}/user/${bob.userId}/account_data/org.example`, { a: 1 }));
  await good(bob.put(`${v3}/user/${bob.userId}/rooms/${joined}/tags/work`, {}));
  for (const text of ["one", "two", "three"]) await say(alice, joined, text);

  const answer = (await good(bob.get(`${v3}/initialSync?limit=2`))) as unknown as {
    end: string;
    presence: JsonObject[];
    account_data: JsonObject[];
    rooms: (JsonObject & { room_id: string; messages: Chunk; state: Shown[] })[];
  };
  expect(answer.account_data).toContainEqual({ type: "org.example", content: { a: 1 } });
  const room = answer.rooms.find(({ room_id }) => room_id === joined)!;
  expect(room).toMatchObject({
    membership: "join",
    visibility: "public",
    account_data: [{ type: "m.tag", content: { tags: { work: {} } } }],
  });
  expect(bodies(room.messages)).toEqual(["two", "three"]);
  expect(room.state).toContainEqual(expect.objectContaining({ type: "m.room.name", room_id: joined }));
  expect(answer.rooms.find(({ room_id }) => room_id === invited)).toMatchObject({
    membership: "invite",
    invite: { type: "m.room.member", state_key: bob.userId, room_id: invited },
  });
  expect(answer.rooms).toHaveLength(2);
  const all = await good(bob.get(`${v3}/initialSync?archived=true`));
  expect(all.rooms).toContainEqual(expect.objectContaining({ room_id: left, membership: "leave" }));

  // Its tokens are those of the other APIs.
  await say(alice, joined, "four");
  expect(bodies(await events(bob, `from=${answer.end}`))).toEqual(["four"]);
  const before = await good(
    bob.get(`${v3}/rooms/${joined}/messages?dir=b&limit=1&from=${room.messages.start}`),
  );
  expect(bodies(before as unknown as Chunk)).toEqual(["one"]);
});

describe("GET /rooms/{roomId}/initialSync", () => {
  test("shows a member the room", async () => {
    const { alice } = await people();
    const roomId = await createRoom(alice);
    for (let i = 0; i < 25; i++) await say(alice, roomId, String(i));
    const room = (await good(alice.get(`${v3}/rooms/${roomId}/initialSync`))) as unknown as {
      messages: Chunk;
      state: Shown[];
    };
    expect(room).toMatchObject({
      room_id: roomId,
      membership: "join",
      visibility: "private",
      account_data: [],
    });
    expect(bodies(room.messages)).toEqual(Array.from({ length: 20 }, (_, i) => String(i + 5)));
    expect(room.state.map(({ type }) => type)).toContain("m.room.create");
    const older = await good(
      alice.get(`${v3}/rooms/${roomId}/messages?dir=b&limit=1&from=${room.messages.start}`),
    );
    expect(bodies(older as unknown as Chunk)).toEqual(["4"]);
    await say(alice, roomId, "new");
    expect(bodies(await events(alice, `from=${room.messages.end}`))).toEqual(["new"]);
  });

  test("shows who has left what was there then, and others nothing", async () => {
    const { alice, bob } = await people();
    const roomId = await createRoom(alice);
    const path = `${v3}/rooms/${roomId}/initialSync`;
    expect(await bob.get(path)).toMatchObject(refused(403, "M_FORBIDDEN"));
    expect(await bob.get(`${v3}/rooms/!none:h/initialSync`)).toMatchObject(refused(403, "M_FORBIDDEN"));
    await join(bob, roomId);
    await say(alice, roomId, "seen");
    await good(bob.post(`${v3}/rooms/${roomId}/leave`));
    await say(alice, roomId, "unseen");
    const room = (await good(bob.get(path))) as unknown as { messages: Chunk };
    expect(room).toMatchObject({ membership: "leave" });
    expect(bodies(room.messages)).toEqual(["seen"]);
  });
});

test("GET /events/{eventId}: an event of whatever room, for who may see it", async () => {
  const { alice, bob } = await people();
  const roomId = await createRoom(alice, { preset: "private_chat" });
  const eventId = await say(alice, roomId, "hello");
  expect(await good(alice.get(`${v3}/events/${eventId}`))).toMatchObject({
    event_id: eventId,
    room_id: roomId,
    content: { body: "hello" },
  });
  const missing = refused(404, "M_NOT_FOUND");
  expect(await bob.get(`${v3}/events/${eventId}`)).toMatchObject(missing);
  expect(await bob.get(`${v3}/events/$none`)).toMatchObject(missing);
});
