import type { BenchPage } from "../browser.ts";
import { collectGarbage, heldBytes } from "../heap.ts";
import { type Figure, quantile } from "../table.ts";
import { memoryBound } from "./memory-bound.ts";
import type { Measurements, Times } from "./results.ts";
import { type Ask as AskOf, withWorker } from "./with-worker.ts";

/*
 * The room server by itself, in a dedicated worker of a real browser. The floor of a figure is what nobody can do
 * without for the same events: parsing, hashing, verifying a signature, and one write of their texts.
 */

const BIG = 50_000;
const SMALL_ROOMS = 50;
/** Requests that finding one entry of an old state may take. */
const MOST_READS = 20;

type Ask = AskOf<Measurements>;

/** @param say - is told what is going on */
export async function roomServerFigures(say: (text: string) => void): Promise<Figure[]> {
  return withWorker<Measurements, Figure[]>("bench/room-server/worker/main.ts", async (ask, page) => {
    // Until the engine has compiled what is used all the time.
    await ask("joining", { members: 1_000, rounds: 2 });
    return [
      ...(await joinFigures(ask, say)),
      ...(await replayFigures(ask, say)),
      ...(await mergeFigures(ask, say)),
      ...(await bigNodeFigures(ask, page, say)),
    ];
  });
}

async function joinFigures(ask: Ask, say: (text: string) => void): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const [members, kind] of [
    [1_000, "none"],
    [10_000, "most"],
  ] as const) {
    say(`joining a room of ${members} members`);
    const times = await ask("joining", { members, rounds: 3 });
    figures.push(ratioOf(`join of a room of ${members} members, durable`, times, kind, 2));
  }
  return figures;
}

async function replayFigures(ask: Ask, say: (text: string) => void): Promise<Figure[]> {
  const events = 20_000;
  say(`replaying a room of ${events} events`);
  const times = await ask("replaying", { events, members: 100, batch: 100, rounds: 1 });
  return [ratioOf(`${events} events one after the other, 100 at a time`, times, "most", 2.5)];
}

async function mergeFigures(ask: Ask, say: (text: string) => void): Promise<Figure[]> {
  const each = 500;
  say(`merging a fork of ${2 * each} state events`);
  const times = await ask("merging", { each, rounds: 3 });
  const of = (key: "merge" | "cold" | "warm" | "second") =>
    times.map((one) => ({ floor: one.floor, measured: one[key] }));
  const fork = `fork of 2 × ${each} state events`;
  return [
    ratioOf(`${fork}: its merge, nothing in memory`, of("merge"), "most", 0.5),
    ratioOf(`${fork}: resolution alone, nothing in memory`, of("cold"), "none", 0),
    ratioOf(`${fork}: resolution alone, events in memory`, of("warm"), "none", 0),
    ratioOf(`${fork}: taking in the second side`, of("second"), "none", 0),
  ];
}

async function bigNodeFigures(ask: Ask, page: BenchPage, say: (text: string) => void): Promise<Figure[]> {
  say(`joining a room of ${BIG} members`);
  const { floor, read, durable, stored } = await ask("openBigNode", {
    members: BIG,
    smallRooms: SMALL_ROOMS,
  });
  const join = (what: string, measured: number) =>
    ratioOf(`join of a room of ${BIG} members, ${what}`, [{ floor, measured }], "none", 0);
  const heap = await heapOf(page);
  say("one entry of an old state");
  const { requests, records } = await ask("readOldState", undefined);
  const reads = (name: string, measured: number, kind: Figure["kind"]): Figure => ({
    name: `entry of an old state among ${BIG} members: ${name} (floor: what is allowed)`,
    unit: "",
    measured,
    floor: MOST_READS,
    ratio: measured / MOST_READS,
    kind,
    bound: 1,
  });
  return [
    join("events read and verified", read),
    join("durable", durable),
    join("in its stores", stored),
    reads("reads", requests, "most"),
    reads("rows and keys read", records, "none"),
    {
      name: `memory with a room of ${BIG} members and ${SMALL_ROOMS} small ones (floor: the caches' limits)`,
      unit: "MB",
      measured: heap / 1e6,
      floor: memoryBound / 1e6,
      ratio: heap / memoryBound,
      kind: "most",
      bound: 1,
    },
  ];
}

/** Bytes that the worker holds once all garbage has been collected. */
async function heapOf(page: BenchPage): Promise<number> {
  const worker = await page.worker();
  await collectGarbage(worker);
  return heldBytes(worker);
}

/** Medians: the machine has other things to do, too. */
export function ratioOf(name: string, times: readonly Times[], kind: Figure["kind"], bound: number): Figure {
  const median = (values: number[]) => quantile(values, 0.5);
  return {
    name,
    unit: "ms",
    measured: median(times.map(({ measured }) => measured)),
    floor: median(times.map(({ floor }) => floor)),
    ratio: median(times.map(({ measured, floor }) => measured / floor)),
    kind,
    bound,
  };
}
