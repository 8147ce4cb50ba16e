import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { distFolder, ensureDist } from "../scripts/support/dist.mjs";
import { codeAtOpening } from "../scripts/support/worker-code.mjs";
import { serveDist } from "../test/e2e/support/serve-dist.ts";
import { startBrowser } from "./browser.ts";
import { clientApiFigures } from "./client-api/figures.ts";
import { federationFigures } from "./federation/figures.ts";
import {
  type Account,
  floorMany,
  type Latencies,
  makeRooms,
  register,
  rest,
  sendLatency,
  sendMany,
  storedBytes,
  syncLatency,
  syncOnOpening,
  untilSynced,
} from "./in-page.ts";
import { openHomeserver } from "./open-homeserver.ts";
import { relayFigures } from "./relay/figures.ts";
import { roomServerFigures } from "./room-server/figures.ts";
import { type Figure, formatTable, holds, quantile } from "./table.ts";

/*
 * The benchmark of the homeserver in a real browser. Each figure stands beside a floor of the same run, as machines
 * differ and are noisy: what is held is the ratio. Arguments: `--events N` for the large database (50,000);
 * `--only homeserver`, `--only client-api`, `--only rooms`, `--only federation` or `--only relay` for one of the parts; of the
 * client API, federation and the relay also one of their own, as in `--only client-api/search`.
 */

const argument = (name: string, standard: number) => {
  const at = process.argv.indexOf(`--${name}`);
  return at === -1 ? standard : Number(process.argv[at + 1]);
};
const EVENTS = argument("events", 50_000);
const ROOMS = argument("rooms", 100);
const only = process.argv.indexOf("--only");
const [onlyPart, onlyOfIt] = only === -1 ? [] : (process.argv[only + 1] ?? "").split("/");
/** Whether a part was asked for. */
const wants = (part: string) => onlyPart === undefined || onlyPart === part;
const OPENINGS = 5;

const say = (text: string) => console.log(`bench: ${text}`);

function latencyFigures(name: string, { floor, measured }: Latencies, bound: number): Figure[] {
  return ([0.5, 0.99] as const).map((q) => ({
    name: `${name}, p${q * 100}`,
    unit: "ms",
    measured: quantile(measured, q),
    floor: quantile(floor, q),
    ratio: quantile(measured, q) / quantile(floor, q),
    kind: q === 0.5 ? "most" : "none",
    bound,
  }));
}

/** The best of a few openings of the page, up to the first answered sync, each in a browser started anew. */
async function openings(
  profileDir: string,
  url: string,
  token: string,
): Promise<{ ms: number; bytes: number }> {
  const times: { ms: number; bytes: number }[] = [];
  for (let i = 0; i < OPENINGS; i++) {
    const browser = await startBrowser(profileDir);
    const page = await browser.open(url, { run: syncOnOpening, argument: token });
    times.push(await page.evaluate(untilSynced, undefined));
    // Nobody closes a page the moment that it is there.
    await page.evaluate(rest, undefined);
    await browser.close();
  }
  times.sort((a, b) => a.ms - b.ms);
  return times[Math.floor(times.length / 2)]!;
}

async function codeSize(): Promise<number> {
  const sizes = await Promise.all(
    (await codeAtOpening()).map(
      async (file) => gzipSync(await readFile(join(distFolder, file)), { level: 9 }).length,
    ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

async function measureEmpty(url: string): Promise<{ ms: number; bytes: number }> {
  const profileDir = await mkdtemp(join(tmpdir(), "hearth-bench-"));
  const browser = await startBrowser(profileDir);
  const account = await (await openHomeserver(browser, url)).evaluate(register, "alice");
  await browser.close();
  const result = await openings(profileDir, url, account.token);
  await rm(profileDir, { recursive: true });
  return result;
}

async function homeserverFigures(): Promise<Figure[]> {
  await ensureDist();
  const figures: Figure[] = [];
  const server = await serveDist();
  const profileDir = await mkdtemp(join(tmpdir(), "hearth-bench-"));
  try {
    let browser = await startBrowser(profileDir);
    const page = await openHomeserver(browser, server.url);
    const [alice, bob]: [Account, Account] = [
      await page.evaluate(register, "alice"),
      await page.evaluate(register, "bob"),
    ];
    const rooms = await page.evaluate(makeRooms, { owner: alice, others: [bob], count: ROOMS });
    const room = rooms[0]!;
    // Until the engine has compiled what is used all the time: what is measured is a homeserver that has run a while.
    await page.evaluate(sendMany, {
      account: alice,
      rooms: [room],
      count: 2_000,
      underWay: 8,
      prefix: "warm",
    });
    await page.evaluate(floorMany, { count: 2_000, underWay: 8 });
    await page.evaluate(rest, undefined);

    say("send latency");
    figures.push(
      ...latencyFigures("send", await page.evaluate(sendLatency, { account: alice, room, count: 500 }), 2.0),
    );

    say("sends per second, 16 under way");
    const count = 1_000;
    const rates: { floor: number; measured: number }[] = [];
    for (let round = 0; round < 5; round++) {
      // What is left over from one of the two is not to burden the other.
      await page.evaluate(rest, undefined);
      const floor = await page.evaluate(floorMany, { count, underWay: 16 });
      const prefix = `rate${round}-`;
      const ms = await page.evaluate(sendMany, {
        account: alice,
        rooms: [room],
        count,
        underWay: 16,
        prefix,
      });
      rates.push({ floor: (count / floor) * 1000, measured: (count / ms) * 1000 });
    }
    const middle = (key: "floor" | "measured") =>
      quantile(
        rates.map((rate) => rate[key]),
        0.5,
      );
    figures.push({
      name: "sends, 16 under way",
      unit: "/s",
      measured: middle("measured"),
      floor: middle("floor"),
      ratio: quantile(
        rates.map((rate) => rate.measured / rate.floor),
        0.5,
      ),
      kind: "least",
      bound: 0.7,
    });

    say("from a send to another user's waiting sync");
    const sync = await page.evaluate(syncLatency, { sender: alice, reader: bob, room, count: 200 });
    figures.push(...latencyFigures("send to sync", sync, 2.5));

    say(`filling the database up to ${EVENTS} events`);
    const stored = await page.evaluate(storedBytes, undefined);
    await page.evaluate(sendMany, {
      account: alice,
      rooms,
      count: Math.max(0, EVENTS - stored.events),
      underWay: 32,
      prefix: "fill",
    });
    await page.evaluate(rest, undefined);
    await browser.close();

    say("opening the page");
    const empty = await measureEmpty(server.url);
    const full = await openings(profileDir, server.url, alice.token);
    figures.push({
      name: `opening to first sync, ${ROOMS} rooms, ${EVENTS} events (floor: empty)`,
      unit: "ms",
      measured: full.ms,
      floor: empty.ms,
      ratio: (full.ms - 300) / empty.ms,
      kind: "most",
      bound: 1.5,
    });

    say("storage");
    browser = await startBrowser(profileDir);
    const bytes = await (await openHomeserver(browser, server.url)).evaluate(storedBytes, undefined);
    await browser.close();
    figures.push({
      name: `storage of an event (${bytes.events} events; floor: its JSON)`,
      unit: "B",
      measured: bytes.usage / bytes.events,
      floor: bytes.json / bytes.events,
      ratio: bytes.usage / bytes.json,
      kind: "most",
      bound: 2.5,
    });

    const size = await codeSize();
    figures.push({
      name: "service worker and worker code at opening, gzip (floor: what is allowed)",
      unit: "kB",
      measured: size / 1000,
      floor: 150,
      ratio: size / 150_000,
      kind: "most",
      bound: 1,
    });
    return figures;
  } finally {
    await server.close();
    await rm(profileDir, { recursive: true, force: true });
  }
}

async function ofBuiltPage(measure: (url: string) => Promise<Figure[]>): Promise<Figure[]> {
  await ensureDist();
  const server = await serveDist();
  try {
    return await measure(server.url);
  } finally {
    await server.close();
  }
}

async function main(): Promise<void> {
  const figures = [
    ...(wants("homeserver") ? await homeserverFigures() : []),
    ...(wants("client-api") ? await ofBuiltPage((url) => clientApiFigures(url, onlyOfIt, say)) : []),
    ...(wants("relay") ? await relayFigures(onlyOfIt, say) : []),
    ...(wants("federation") ? await federationFigures(onlyOfIt, say) : []),
    ...(wants("rooms") ? await roomServerFigures(say) : []),
  ];
  console.log(`\n${formatTable(figures)}\n`);
  const results = new URL("results/", `file://${process.cwd()}/bench/`);
  await mkdir(results, { recursive: true });
  await writeFile(new URL("bench.json", results), `${JSON.stringify(figures, null, 2)}\n`);
  say("written to bench/results/bench.json");
  if (!figures.every(holds)) process.exitCode = 1;
}

await main();
