import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { eventByTime } from "../../../../src/worker-roomserver/room/query/event-by-time.ts";
import { refusal } from "../../support/requester.ts";
import { testParts } from "../../support/room-parts.ts";

const START = 1_700_000_000_000;

describe("an event by its time", () => {
  test("property: is the first in its direction, of any times, whatever the order in which they came", async () => {
    const times = fc.array(fc.nat(20), { minLength: 1, maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(times, fc.integer({ min: -2, max: 22 }), async (offsets, asked) => {
        const t = await testParts();
        const roomId = await t.create("alice");
        t.clock.now = START + 1_000;
        const sent: number[] = [];
        for (const offset of offsets) {
          t.clock.now = START + 1_000 + offset;
          await t.send(roomId, "alice", { body: "x" });
          sent.push(t.clock.now);
        }
        const ts = START + 1_001 + asked;
        const found = async (dir: "f" | "b") =>
          (await eventByTime(t, t.user("alice"), roomId, { ts, dir }).catch(() => undefined))
            ?.origin_server_ts;
        const later = sent.filter((each) => each >= ts);
        expect(await found("f")).toBe(later.length === 0 ? undefined : Math.min(...later));
        const earlier = sent.filter((each) => each <= ts);
        if (earlier.length > 0) expect(await found("b")).toBe(Math.max(...earlier));
        else expect(await found("b")).toBeLessThan(START + 1_000);
      }),
      { numRuns: 20 },
    );
  });

  test("is one that the user may see, past many that they may not", async () => {
    const t = await testParts();
    const visibility = { type: "m.room.history_visibility", content: { history_visibility: "joined" } };
    const roomId = await t.create("alice", { preset: "public_chat", initial_state: [visibility] });
    for (let i = 0; i < 50; i++) await t.send(roomId, "alice", { body: "unseen" });
    t.clock.now += 1_000;
    await t.act(roomId, "join", "bob");
    const joined = t.clock.now;
    const forBob = (dir: "f" | "b", ts: number) => eventByTime(t, t.user("bob"), roomId, { ts, dir });
    expect((await forBob("f", START + 5)).origin_server_ts).toBe(joined);
    // What was there before history was closed: the room's first events.
    const { event_id: earlier } = await forBob("b", joined - 1);
    expect((await t.events.byId(earlier))?.pdu.type).toBe("m.room.history_visibility");
    await t.send(roomId, "alice", { body: "seen" });
    await t.act(roomId, "leave", "bob");
    const left = t.clock.now;
    t.clock.now += 1_000;
    await t.send(roomId, "alice", { body: "after" });
    expect((await forBob("b", t.clock.now)).origin_server_ts).toBe(left);
    expect(await refusal(forBob("f", left + 1))).toEqual({ errcode: "M_NOT_FOUND", status: 404 });
  });

  test("goes through those of one time without end", async () => {
    const t = await testParts();
    const visibility = { type: "m.room.history_visibility", content: { history_visibility: "joined" } };
    const roomId = await t.create("alice", { preset: "public_chat", initial_state: [visibility] });
    const { now } = t.clock;
    for (let i = 0; i < 60; i++) {
      t.clock.now = now; // so that all are of one time
      await t.send(roomId, "alice", { body: "x" });
    }
    await t.act(roomId, "join", "bob");
    const mine = await eventByTime(t, t.user("bob"), roomId, { ts: now + 1, dir: "f" });
    expect((await t.events.byId(mine.event_id))?.pdu.type).toBe("m.room.member");
  });
});
