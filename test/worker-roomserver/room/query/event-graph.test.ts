import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { prevEventIds } from "../../../../src/matrix/event-format.ts";
import { eventGraph } from "../../../../src/worker-roomserver/room/query/event-graph.ts";
import type { GraphEvent, GraphPlace } from "../../../../src/worker-roomserver/room/query/event-graph-api.ts";
import { stateAtEvent } from "../../../../src/worker-roomserver/room/query/state-around.ts";
import { generatedRoom } from "../../../reference/arbitrary-room.ts";
import { refusal } from "../../support/requester.ts";
import { type TestParts, testParts } from "../../support/room-parts.ts";
import { received } from "../input/hosted-room.ts";

async function withRoom(): Promise<{ t: TestParts; roomId: string }> {
  const t = await testParts();
  return { t, roomId: await t.create("alice", { preset: "public_chat", name: "Den" }) };
}

const softFailed = { status: 2, reason: "It came too late.", isOutlier: false } as const;
const rejected = { status: 1, reason: "It may not.", isOutlier: false } as const;
const outlier = { status: 0, reason: "", isOutlier: true } as const;

/** The whole graph, page by page. */
async function turn(t: TestParts, roomId: string, limit: number): Promise<GraphEvent[]> {
  const events: GraphEvent[] = [];
  let from: GraphPlace | undefined;
  do {
    const page = await eventGraph(t, roomId, { from, limit });
    expect(page.events.length).toBeLessThanOrEqual(limit);
    events.push(...page.events);
    // As it comes back when it has been sent as JSON.
    from = page.next && (JSON.parse(JSON.stringify(page.next)) as GraphPlace);
  } while (from !== undefined);
  return events;
}

describe("a room's graph", () => {
  test("has what is known of its events, the newest first", async () => {
    const { t, roomId } = await withRoom();
    const first = await t.send(roomId, "alice", { body: "a" });
    const second = await t.send(roomId, "alice", { body: "b" });
    await t.redact(roomId, "alice", second);
    const { events, extremities, next } = await eventGraph(t, roomId, { limit: 100 });
    expect(next).toBeUndefined();
    expect(extremities).toEqual([events[0]!.eventId]);
    expect(events.map(({ type }) => type).slice(0, 3)).toEqual([
      "m.room.redaction",
      "m.room.message",
      "m.room.message",
    ]);
    const stored = (await t.events.byId(second))!;
    expect(events[1]).toEqual({
      eventId: second,
      type: "m.room.message",
      sender: t.user("alice").userId,
      depth: stored.pdu.depth,
      order: stored.order,
      ts: stored.pdu.origin_server_ts,
      status: "accepted",
      reason: "",
      isOutlier: false,
      isRedacted: true,
      afterGap: false,
      prevEvents: [first],
      authEvents: stored.pdu.auth_events,
    });
    expect(events.at(-1)).toMatchObject({ type: "m.room.create", stateKey: "", prevEvents: [] });
    for (const [i, { prevEvents }] of events.entries()) {
      expect(prevEvents).toEqual(events[i + 1] === undefined ? [] : [events[i + 1]!.eventId]);
    }
  });

  test("gives ids alone also in room versions that name events with their hashes", async () => {
    const t = await testParts();
    const roomId = await t.create("alice", { room_version: "1" });
    const first = await t.send(roomId, "alice", {});
    await t.send(roomId, "alice", {});
    const { events } = await eventGraph(t, roomId, { limit: 1 });
    expect(events[0]?.prevEvents).toEqual([first]);
    expect(events[0]?.authEvents.every((id) => id.startsWith("$"))).toBe(true);
  });

  test("has what is in no timeline where it came in", async () => {
    const { t, roomId } = await withRoom();
    const sender = t.user("bob").userId;
    const aside = (how: Parameters<TestParts["takeIn"]>[2]) => t.takeIn(roomId, { type: "m.x", sender }, how);
    const one = await t.send(roomId, "alice", {});
    const refused = await aside(rejected);
    const late = await aside(softFailed);
    const two = await t.send(roomId, "alice", {});
    const far = await aside(outlier);
    const graph = await turn(t, roomId, 2);
    expect(graph.slice(0, 5).map(({ eventId }) => eventId)).toEqual([far, two, late, refused, one]);
    expect(graph[0]).toMatchObject({ status: "accepted", isOutlier: true, order: 0 });
    expect(graph[2]).toMatchObject({ status: "soft-failed", reason: "It came too late.", order: 0 });
    expect(graph[3]).toMatchObject({ status: "rejected", reason: "It may not.", isOutlier: false });
  });

  test("does not move under who turns its pages", async () => {
    const { t, roomId } = await withRoom();
    const sender = t.user("bob").userId;
    const first = await eventGraph(t, roomId, { limit: 3 });
    await t.send(roomId, "alice", {});
    await t.takeIn(roomId, { type: "m.x", sender }, softFailed);
    const second = await eventGraph(t, roomId, { from: first.next, limit: 100 });
    const depths = [...first.events, ...second.events].map(({ depth }) => depth);
    expect(depths).toEqual([...depths.keys()].map((i) => depths.length - i));
  });

  test("of a room that is not known is not there", async () => {
    const { t } = await withRoom();
    const missing = { errcode: "M_NOT_FOUND", status: 404 };
    expect(await refusal(eventGraph(t, "!x:h", { limit: 1 }))).toEqual(missing);
  });

  test("property: pages of any size have each event once, those of the timeline in their order", async () => {
    const kinds = fc.array(fc.constantFrom("live", "rejected", "failed", "outlier", "history"), {
      maxLength: 12,
    });
    await fc.assert(
      fc.asyncProperty(kinds, fc.integer({ min: 1, max: 4 }), async (script, limit) => {
        const { t, roomId } = await withRoom();
        const sender = t.user("bob").userId;
        const sent: string[] = [];
        for (const [i, kind] of script.entries()) {
          const how = { rejected, failed: softFailed, outlier, history: { order: -(i + 1) / 8 } };
          sent.push(
            kind === "live"
              ? await t.send(roomId, "alice", {})
              : await t.takeIn(roomId, { type: "m.x", sender }, how[kind]),
          );
        }
        const graph = await turn(t, roomId, limit);
        const found = graph.map(({ eventId }) => eventId);
        expect(new Set(found).size).toBe(found.length);
        expect(found).toHaveLength((await t.storage.getAll("events")).length);
        expect(found).toEqual(expect.arrayContaining(sent));
        const orders = graph.map(({ order }) => order).filter((order) => order !== 0);
        expect(orders).toEqual([...orders].sort((a, b) => b - a));
      }),
      { numRuns: 20 },
    );
  });
});

test("property: of a room with forks it has what the room server has found, once each", async () => {
  const statuses = { accepted: 0, rejected: 1, "soft-failed": 2 };
  await fc.assert(
    fc.asyncProperty(
      generatedRoom,
      fc.integer({ min: 1, max: 7 }),
      async ({ rules, roomId, events }, limit) => {
        const t = await testParts();
        const [create, ...others] = events.map(received);
        await t.input.takeInRoom({ version: rules.id, event: create!, state: [], authChain: [] });
        for (const event of others) await t.input.receive(roomId, [event]);
        const graph = await turn(t, roomId, limit);
        const known = (await t.storage.getAll("events")).map(({ id }) => id);
        expect(graph.map(({ eventId }) => eventId).sort()).toEqual(known.sort());
        for (const { eventId, status, prevEvents } of graph) {
          const stored = (await t.events.byId(eventId))!;
          expect(statuses[status]).toBe(stored.status);
          expect(prevEvents).toEqual(prevEventIds(stored.pdu));
        }
        const { extremities } = await eventGraph(t, roomId, { limit: 1 });
        const head = (await t.heads.find(roomId))!;
        expect(extremities).toEqual(head.extremities.map(({ eventId }) => eventId));
      },
    ),
    { numRuns: 15 },
  );
});

describe("the state around an event", () => {
  const around = async (t: TestParts, roomId: string, eventId: string) =>
    stateAtEvent(t, roomId, eventId, { limit: 100 });

  test("says what the event has changed, and what was there already", async () => {
    const { t, roomId } = await withRoom();
    const eventId = await t.setState(roomId, "alice", "m.room.name", { name: "Lair" });
    const { entries, count, isKnown } = await around(t, roomId, eventId);
    expect(isKnown).toBe(true);
    expect(entries).toHaveLength(count);
    expect(entries[0]).toMatchObject({
      type: "m.room.name",
      stateKey: "",
      before: { sender: t.user("alice").userId, content: { name: "Den" } },
      after: { eventId, content: { name: "Lair" } },
      isChanged: true,
    });
    expect(entries.slice(1).map(({ isChanged }) => isChanged)).not.toContain(true);
    expect(entries.map(({ type }) => type)).toContain("m.room.create");
    for (const { before, after } of entries.slice(1)) expect(before).toEqual(after);
  });

  test("says what is there only since, and nothing has changed at a message", async () => {
    const { t, roomId } = await withRoom();
    const topic = await t.setState(roomId, "alice", "m.room.topic", { topic: "x" });
    const [entry] = (await around(t, roomId, topic)).entries;
    expect(entry).toMatchObject({ type: "m.room.topic", after: { eventId: topic }, isChanged: true });
    expect(entry).not.toHaveProperty("before");
    const message = await t.send(roomId, "alice", {});
    const { entries } = await around(t, roomId, message);
    expect(entries.filter(({ isChanged }) => isChanged)).toEqual([]);
    expect(entries.map(({ after }) => after?.eventId)).toContain(topic);
  });

  test("comes in pages", async () => {
    const { t, roomId } = await withRoom();
    const eventId = await t.setState(roomId, "alice", "m.room.topic", { topic: "x" });
    const whole = await around(t, roomId, eventId);
    const found = [];
    let from: number | undefined;
    do {
      const page = await stateAtEvent(t, roomId, eventId, { from, limit: 3 });
      expect(page.count).toBe(whole.count);
      found.push(...page.entries);
      from = page.next;
    } while (from !== undefined);
    expect(found).toEqual(whole.entries);
  });

  test("of an outlier is not known, and of what is not in the room not there", async () => {
    const { t, roomId } = await withRoom();
    const eventId = await t.takeIn(roomId, { type: "m.x", sender: t.user("bob").userId }, outlier);
    expect(await around(t, roomId, eventId)).toEqual({ eventId, isKnown: false, count: 0, entries: [] });
    const elsewhere = await t.create("alice");
    const missing = { errcode: "M_NOT_FOUND", status: 404 };
    expect(await refusal(around(t, elsewhere, eventId))).toEqual(missing);
    expect(await refusal(around(t, roomId, "$x"))).toEqual(missing);
    const invalid = { errcode: "M_INVALID_PARAM", status: 400 };
    expect(await refusal(stateAtEvent(t, roomId, eventId, { from: -1, limit: 1 }))).toEqual(invalid);
  });
});
