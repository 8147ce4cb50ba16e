import { expect, test } from "vitest";
import type { JsonObject } from "../../src/matrix/json.ts";
import { createRoom, good, home, join, type Person, say, v3 } from "./support/people.ts";

/** Deactivates somebody, and waits until they have left their rooms. */
async function deactivate(owner: Person, who: Person, roomId: string): Promise<void> {
  const name = who.userId.slice(1, who.userId.indexOf(":"));
  const auth = {
    type: "m.login.password",
    identifier: { type: "m.id.user", user: name },
    password: "secret",
  };
  await good(who.post(`${v3}/account/deactivate`, { auth, erase: true }));
  const joined = async () =>
    Object.keys((await good(owner.get(`${v3}/rooms/${roomId}/joined_members`))).joined!);
  await expect.poll(joined).not.toContain(who.userId);
}

type Shown = JsonObject & { type: string; sender: string; content: JsonObject };

/** What somebody is shown of what alice has said, in each way. */
async function said(who: Person, roomId: string, eventId: string, alice: Person) {
  const body = ({ content }: Shown) => content.body;
  const room = `${v3}/rooms/${roomId}`;
  const page = (await good(who.get(`${room}/messages?dir=b&limit=100`))).chunk as Shown[];
  const one = (await good(who.get(`${room}/event/${eventId}`))) as Shown;
  const around = (await good(who.get(`${room}/context/${eventId}?limit=0`))).event as Shown;
  const filter = encodeURIComponent(JSON.stringify({ room: { timeline: { limit: 100 } } }));
  const sync = (await good(who.get(`${v3}/sync?filter=${filter}`))) as {
    rooms: { join: Record<string, { timeline: { events: Shown[] } }> };
  };
  const ofAlice = (events: Shown[]) =>
    events.filter(({ type, sender }) => type === "m.room.message" && sender === alice.userId).map(body);
  return {
    page: ofAlice(page),
    one: body(one),
    around: body(around),
    sync: ofAlice(sync.rooms.join[roomId]!.timeline.events),
  };
}

test("who was there when it was said, or before it was erased, still sees it; who comes later does not", async () => {
  const t = await home();
  const [owner, alice, early, late] = (await Promise.all(
    ["owner", "alice", "early", "late"].map((name) => t.person(name)),
  )) as [Person, Person, Person, Person];
  const roomId = await createRoom(owner);
  await join(alice, roomId);
  const eventId = await say(alice, roomId, "secret");
  await join(early, roomId);
  await deactivate(owner, alice, roomId);
  await join(late, roomId);
  await say(owner, roomId, "after");

  const whole = { page: ["secret"], one: "secret", around: "secret", sync: ["secret"] };
  const gone = { page: [undefined], one: undefined, around: undefined, sync: [undefined] };
  expect(await said(owner, roomId, eventId, alice)).toEqual(whole);
  expect(await said(early, roomId, eventId, alice)).toEqual(whole);
  expect(await said(late, roomId, eventId, alice)).toEqual(gone);

  // Who was there at the time and comes back has seen it; who was not, and goes and comes back, is new.
  await good(owner.post(`${v3}/rooms/${roomId}/leave`));
  await good(early.post(`${v3}/rooms/${roomId}/leave`));
  await join(owner, roomId);
  await join(early, roomId);
  expect(await said(owner, roomId, eventId, alice)).toEqual(whole);
  expect(await said(early, roomId, eventId, alice)).toEqual(gone);
});

test("others' words stay, and a member that was erased is still told by their membership", async () => {
  const t = await home();
  const owner = await t.person("owner");
  const alice = await t.person("alice");
  const late = await t.person("late");
  const roomId = await createRoom(owner);
  await join(alice, roomId);
  await say(owner, roomId, "kept");
  await deactivate(owner, alice, roomId);
  await join(late, roomId);
  const page = (await good(late.get(`${v3}/rooms/${roomId}/messages?dir=b&limit=100`))).chunk as Shown[];
  expect(page.map(({ content }) => content.body)).toContain("kept");
  const ofAlice = page.filter(({ sender }) => sender === alice.userId);
  // The empty profile may have been told to the room before she left it.
  const [last, ...earlier] = ofAlice.map(({ content }) => content);
  expect(last).toEqual({ membership: "leave" });
  expect(earlier.length).toBeGreaterThan(0);
  expect(earlier).toEqual(earlier.map(() => ({ membership: "join" })));
});
