import { describe, expect, test } from "vitest";
import { longestReason } from "../../src/worker-roomserver/reports/reports.ts";
import { createRoom, good, home, join, refused, say, v3 } from "./support/people.ts";

async function room() {
  const t = await home();
  const alice = await t.person("alice");
  const bob = await t.person("bob");
  const roomId = await createRoom(alice);
  const eventId = await say(alice, roomId, "something bad");
  return { ...t, alice, bob, roomId, eventId };
}

describe("reports are kept for the owner", () => {
  test("of rooms, without being in them; of events; of users here and elsewhere", async () => {
    const { node, bob, alice, roomId, eventId } = await room();
    await good(bob.post(`${v3}/rooms/${roomId}/report`, { reason: "" }));
    await join(bob, roomId);
    await good(bob.post(`${v3}/rooms/${roomId}/report/${eventId}`, { reason: "sad", score: -100 }));
    await good(bob.post(`${v3}/rooms/${roomId}/report/${eventId}`, {}));
    await good(bob.post(`${v3}/users/${alice.userId}/report`, { reason: "mean" }));
    await good(bob.post(`${v3}/users/@eve:elsewhere.example/report`, { reason: "spam" }));
    const { reports } = await node.reports.list({ limit: 10 });
    const common = { by: bob.userId, at: expect.any(Number) };
    expect(reports).toEqual([
      { ...common, id: 5, user_id: "@eve:elsewhere.example", reason: "spam" },
      { ...common, id: 4, user_id: alice.userId, reason: "mean" },
      { ...common, id: 3, room_id: roomId, event_id: eventId, reason: "" },
      { ...common, id: 2, room_id: roomId, event_id: eventId, reason: "sad", score: -100 },
      { ...common, id: 1, room_id: roomId, reason: "" },
    ]);
  });

  test("not of what is not there, or not for this user", async () => {
    const { node, alice, bob, roomId, eventId } = await room();
    const reason = { reason: "x" };
    const missing = refused(404, "M_NOT_FOUND");
    const other = await createRoom(bob);
    for (const path of [
      `/rooms/!none:example.org/report`,
      `/rooms/${roomId}/report/${eventId}`, // bob is not in the room
      `/rooms/${other}/report/${eventId}`, // the event is not in this room
      `/rooms/${other}/report/$none`,
      `/users/@nobody:${alice.userId.split(":")[1]}/report`,
    ]) {
      expect(await bob.post(v3 + path, reason)).toMatchObject(
        path.endsWith("$none") ? { status: 400 } : missing,
      );
    }
    await join(bob, roomId);
    await good(bob.post(`${v3}/rooms/${roomId}/leave`));
    expect(await bob.post(`${v3}/rooms/${roomId}/report/${eventId}`, reason)).toMatchObject(missing);
    expect(await node.reports.list({ limit: 10 })).toEqual({ reports: [] });
  });

  test.each<[string, object, number, string]>([
    ["/rooms/{room}/report", {}, 400, "M_MISSING_PARAM"],
    ["/users/@a:b.c/report", {}, 400, "M_MISSING_PARAM"],
    ["/rooms/{room}/report/{event}", { reason: 1 }, 400, "M_BAD_JSON"],
    ["/rooms/{room}/report/{event}", { score: 1 }, 400, "M_BAD_JSON"],
    ["/rooms/{room}/report/{event}", { score: -0.5 }, 400, "M_BAD_JSON"],
    ["/rooms/{room}/report/{event}", { reason: "x".repeat(longestReason + 1) }, 400, "M_INVALID_PARAM"],
    ["/users/nobody/report", { reason: "x" }, 400, "M_INVALID_PARAM"],
  ])("%s with %j is no report", async (path, body, status, errcode) => {
    const { alice, roomId, eventId } = await room();
    const asked = path.replace("{room}", roomId).replace("{event}", eventId);
    expect(await alice.post(v3 + asked, body as never)).toMatchObject(refused(status, errcode));
  });
});
