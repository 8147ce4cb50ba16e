import { describe, expect, test, vi } from "vitest";
import type { JsonObject } from "../../../../src/matrix/json.ts";
import type { JsonBytes } from "../../../../src/worker-roomserver/node/requester.ts";
import { endlessAnswer, rawAnswer } from "../support/misbehaviour.ts";
import { PeerAndNode } from "../support/peer-and-node.ts";

const V1 = "/_matrix/federation/v1";
const BACKFILL = `${V1}/backfill/{roomId}`;

type Page = { chunk: { content: { body?: string } }[]; start: string; end?: string };
const read = <T>(bytes: JsonBytes) => JSON.parse(new TextDecoder().decode(bytes)) as T;

async function page(
  world: PeerAndNode,
  limit: number,
  from?: string,
  filter: JsonObject = {},
): Promise<Page> {
  const { node } = world.a;
  return read<Page>(
    await node.room.messages(world.alice, world.room.roomId, {
      dir: "b",
      limit,
      filter,
      ...(from && { from }),
    }),
  );
}

const bodies = ({ chunk }: Page) => chunk.flatMap(({ content }) => content.body ?? []);
const backfills = (world: PeerAndNode) => world.asked().filter((path) => path.includes("/backfill/")).length;

describe.each(["1", "10", "12"])("history of a room of version %s", (version) => {
  test("from before the join is fetched when somebody scrolls there, page by page, to the room's beginning", async () => {
    const world = await PeerAndNode.open({ version, before: 250 });
    const first = await page(world, 40);
    expect(bodies(first).slice(0, 3)).toEqual(["before 249", "before 248", "before 247"]);
    expect(backfills(world)).toBe(1);
    const all = bodies(first);
    let { end } = first;
    while (end !== undefined) {
      const next = await page(world, 100, end);
      all.push(...bodies(next));
      end = next.end;
    }
    expect(all).toEqual(Array.from({ length: 250 }, (_, i) => `before ${249 - i}`));
    const before = backfills(world);
    expect(bodies(await page(world, 1000)).length).toBe(250);
    expect(backfills(world)).toBe(before);
  });
});

test("what was missed and passed over is fetched into its place", async () => {
  const world = await PeerAndNode.open();
  await world.send({ pdus: [await world.say("first")] });
  world.peer.override("POST", `${V1}/get_missing_events/{roomId}`, () => ({ events: [] }));
  for (let i = 0; i < 5; i++) await world.say(`missed ${i}`);
  const last = await world.say("last");
  await world.send({ pdus: [last] });
  await world.arrived(last);
  const { node } = world.a;
  const around = read<{ events_before: Page["chunk"] }>(
    await node.room.context(world.alice, world.room.roomId, last.eventId, { limit: 20, filter: {} }),
  );
  expect(around.events_before.map(({ content }) => content.body).slice(0, 5)).toEqual(
    [4, 3, 2, 1, 0].map((i) => `missed ${i}`),
  );
  expect(await world.shown()).toEqual(["first", ...[0, 1, 2, 3, 4].map((i) => `missed ${i}`), "last"]);
});

test("who cannot be reached is asked again: the page has what is there, and a token to go on from", async () => {
  const world = await PeerAndNode.open({ before: 3 });
  world.peer.override("GET", BACKFILL, () => rawAnswer("{}", 502));
  const first = await page(world, 40);
  expect(bodies(first)).toEqual([]);
  expect(first.end).toBeDefined();
  world.peer.override("GET", BACKFILL, ({ query }) => ({
    pdus: [...world.room.events.values()]
      .filter(({ pdu }) => pdu.depth <= (world.room.events.get(query.get("v")!)?.pdu.depth ?? 0))
      .map(({ pdu }) => pdu),
  }));
  expect(bodies(await page(world, 40, first.end))).toEqual(["before 2", "before 1", "before 0"]);
});

test("a server that does not answer holds up a page for some seconds, and what comes later is there then", async () => {
  const world = await PeerAndNode.open({ before: 3 });
  let answer: (events: JsonObject) => void = () => undefined;
  world.peer.override(
    "GET",
    BACKFILL,
    () =>
      new Promise<JsonObject>((resolve) => {
        answer = resolve;
      }),
  );
  const first = await page(world, 40);
  expect([bodies(first), first.end === undefined]).toEqual([[], false]);
  answer({ pdus: [...world.room.events.values()].slice(0, -1).map(({ pdu }) => pdu) });
  await vi.waitFor(async () => expect(bodies(await page(world, 40, first.end))).toHaveLength(3), 10_000);
});

test.each<[string, (world: PeerAndNode) => void]>([
  ["refuses", ({ peer }) => peer.override("GET", BACKFILL, () => rawAnswer("{}", 403))],
  ["has nothing", ({ peer }) => peer.override("GET", BACKFILL, () => ({ pdus: [] }))],
  ["never ends", ({ peer }) => peer.override("GET", BACKFILL, () => endlessAnswer())],
  [
    "tells of other events",
    ({ peer, room }) =>
      peer.override("GET", BACKFILL, async () => ({
        pdus: [(await room.make({ type: "m.room.message", content: { body: "made up" }, prev: [] })).pdu],
      })),
  ],
])("where a server %s, history ends there", async (_, lie) => {
  const world = await PeerAndNode.open({ before: 3 });
  lie(world);
  const { chunk, end } = await page(world, 40);
  expect([chunk.flatMap(({ content }) => content.body ?? []), end]).toEqual([[], undefined]);
  await page(world, 40);
  expect(backfills(world)).toBe(1);
});

test("an event that is not here is fetched for who may see it", async () => {
  const world = await PeerAndNode.open({ before: 3 });
  const old = [...world.room.events.values()].find(({ pdu }) => pdu.content.body === "before 1")!;
  const { node } = world.a;
  const event = read<JsonObject>(await node.room.event(world.alice, world.room.roomId, old.eventId));
  expect(event.content).toMatchObject({ body: "before 1" });
  const unknown = node.room.event(world.alice, world.room.roomId, `$${"u".repeat(43)}`);
  await expect(unknown).rejects.toMatchObject({ errcode: "M_NOT_FOUND" });
  expect(await world.shown()).toEqual(["before 0", "before 1", "before 2"]);
});

test("an event from before one's own join is not shown where history is for members", async () => {
  const world = await PeerAndNode.open({ before: 3, historyVisibility: "joined" });
  const old = [...world.room.events.values()].find(({ pdu }) => pdu.content.body === "before 1")!;
  const asked = world.a.node.room.event(world.alice, world.room.roomId, old.eventId);
  await expect(asked).rejects.toMatchObject({ errcode: "M_NOT_FOUND" });
  expect(await world.shown()).toEqual([]);
});
