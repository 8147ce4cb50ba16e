import type { BenchPage, BenchWorker } from "../browser.ts";
import { collectGarbage, heldBytes } from "../heap.ts";
import { type Account, register, rest } from "../in-page.ts";
import { type Figure, quantile } from "../table.ts";
import { download, floorGet, floorPut, makeFile, upload } from "./media-in-page.ts";

/*
 * Files of 50 MB, up and down. The floor is a Blob that is put into an IndexedDB and got from it by the homeserver's own
 * worker, on the disk before it counts.
 */

const BYTES = 50_000_000;
/** A part as a player asks for it. */
const PART = { from: 20_000_000, to: 21_000_000 };
const ROUNDS = 7;
/** Of a file, what the homeserver's threads may hold at a time: it is to pass by them. */
const HELD = 0.5;
/** Milliseconds. */
const SAMPLED_EACH = 5;

type Turn = { measured: number; floor: number };

/** @param say - is told what is going on */
export async function mediaFigures(page: BenchPage, say: (text: string) => void): Promise<Figure[]> {
  const owner = await page.evaluate(register, "alice");
  const worker = await page.worker();
  const threads = [worker, await page.serviceWorker()];
  say(`uploading and downloading ${BYTES / 1e6} MB`);
  const turns = { up: [] as Turn[], down: [] as Turn[], part: [] as Turn[] };
  const held: number[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const { peaks, ...measured } = await oneRound(page, worker, threads, owner);
    // In the first round much is compiled and loaded.
    if (round === 0) continue;
    held.push(...peaks);
    for (const name of ["up", "down", "part"] as const) turns[name].push(measured[name]);
  }
  const ofPart = `a part of ${(PART.to - PART.from) / 1e6} MB of it`;
  const most = Math.max(...held);
  return [
    median(`upload of ${BYTES / 1e6} MB (floor: Blob put, strict)`, turns.up),
    median(`download of ${BYTES / 1e6} MB (floor: Blob got and read)`, turns.down),
    median(`${ofPart} (floor: Blob got, sliced and read)`, turns.part, "none"),
    {
      name: "most that service worker and worker hold of it meanwhile (floor: the file)",
      unit: "MB",
      measured: most / 1e6,
      floor: BYTES / 1e6,
      ratio: most / BYTES,
      kind: "most",
      bound: HELD,
    },
  ];
}

async function oneRound(
  page: BenchPage,
  worker: BenchWorker,
  threads: readonly BenchWorker[],
  { token }: Account,
): Promise<Record<"up" | "down" | "part", Turn> & { peaks: number[] }> {
  // Made anew, as a file that has been stored may be known by its place on the disk.
  await page.evaluate(makeFile, BYTES);
  const up = await peakWhile(threads, () => page.evaluate(upload, token));
  await page.evaluate(rest, undefined);
  await worker.evaluate(makeFile, BYTES);
  const put = await worker.evaluate(floorPut, undefined);
  const whole = { uri: up.result.uri, token, bytes: BYTES };
  const part = { ...whole, bytes: PART.to - PART.from, part: PART };
  const got = await worker.evaluate(floorGet, { from: 0, to: BYTES });
  const down = await peakWhile(threads, () => page.evaluate(download, whole));
  const gotPart = await worker.evaluate(floorGet, PART);
  return {
    up: { measured: up.result.ms, floor: put },
    down: { measured: down.result, floor: got },
    part: { measured: await page.evaluate(download, part), floor: gotPart },
    peaks: [up.peak, down.peak],
  };
}

/** The most bytes that threads hold together while something runs, beyond what they held before. */
async function peakWhile<T>(
  threads: readonly BenchWorker[],
  run: () => Promise<T>,
): Promise<{ result: T; peak: number }> {
  const holding = async () => {
    const each = await Promise.all(threads.map(heldBytes));
    return each.reduce((sum, bytes) => sum + bytes, 0);
  };
  for (const thread of threads) await collectGarbage(thread);
  const before = await holding();
  let peak = before;
  let isOver = false;
  const watching = (async () => {
    while (!isOver) {
      peak = Math.max(peak, await holding());
      await new Promise((resolve) => setTimeout(resolve, SAMPLED_EACH));
    }
  })();
  try {
    return { result: await run(), peak: peak - before };
  } finally {
    isOver = true;
    await watching;
  }
}

function median(name: string, turns: readonly Turn[], kind: Figure["kind"] = "most"): Figure {
  const of = (pick: (turn: Turn) => number) => quantile(turns.map(pick), 0.5);
  return {
    name,
    unit: "ms",
    measured: of(({ measured }) => measured),
    floor: of(({ floor }) => floor),
    ratio: of(({ measured, floor }) => measured / floor),
    kind,
    bound: 2,
  };
}
