import { expect, test } from "vitest";
import type { ReceivedEvent } from "../../../src/matrix/received-event.ts";
import { Story } from "../../reference/story.ts";
import { received } from "../room/input/hosted-room.ts";
import { testSync } from "./support/sync.ts";

const dora = "@dora:d.example";

/** Dora is invited to a room that nobody from her server is in, and the invite is taken back. */
async function invited() {
  const story = new Story("10");
  story.member("dora", "@alice:a.example", "invite", { of: dora });
  story.member("dora out", "@alice:a.example", "leave", { of: dora });
  const t = await testSync(undefined, "d.example");
  const event = (name: string): ReceivedEvent => received(story.event(name));
  const roomId = story.event("create").pdu.room_id!;
  const { outOfBand } = t.parts;
  const name = { type: "m.room.name", state_key: "", sender: "@alice:a.example", content: { name: "Far" } };
  const invite = () =>
    outOfBand.addInvite({ roomVersion: "10", event: event("dora"), strippedState: [name] });
  return { t, roomId, event, outOfBand, invite };
}

test("an invite to a room that is not here wakes who waits, and its end does too", async () => {
  const { t, roomId, event, outOfBand, invite } = await invited();
  const { next_batch: begin } = await t.poll("dora");
  const waiting = t.poll("dora", { since: begin, timeout: 10_000 });
  await invite();
  const { rooms, next_batch: since } = await waiting;
  expect(rooms.invite[roomId]!.invite_state.events.map(({ type }) => type)).toEqual([
    "m.room.name",
    "m.room.member",
  ]);
  expect((await t.poll("dora", { since })).rooms?.invite ?? {}).toEqual({});

  const end = t.poll("dora", { since, timeout: 10_000 });
  await outOfBand.rescinded(event("dora out"));
  const { rooms: left, next_batch: last } = await end;
  const { timeline } = left.leave[roomId]!;
  expect(timeline.events.map(({ event_id }) => event_id)).toEqual([event("dora out").eventId]);
  expect(left.invite?.[roomId]).toBeUndefined();
  // Who was away for all of it is told of the end alone; who begins anew, of nothing.
  const away = await t.poll("dora", { since: begin });
  expect(Object.keys(away.rooms.leave)).toEqual([roomId]);
  expect((await t.poll("dora")).rooms?.invite ?? {}).toEqual({});
  expect((await t.poll("dora", { since: last })).rooms?.leave ?? {}).toEqual({});
});

test("declined, it is among the rooms that the user has left", async () => {
  const { t, roomId, outOfBand, invite } = await invited();
  await invite();
  const request = { userId: dora, kind: "user", admin: false } as never;
  expect((await t.rooms.joinedRooms(request)).joined_rooms).toEqual([]);
  const { rooms } = await t.poll("dora");
  expect(Object.keys(rooms.invite)).toEqual([roomId]);
  await outOfBand.endOutOfBand(roomId, dora);
  const archived = await t.poll("dora", { filter: { room: { include_leave: true } } });
  expect(archived.rooms.leave[roomId]!.timeline.events).toMatchObject([
    { type: "m.room.member", sender: dora, content: { membership: "leave" } },
  ]);
});
