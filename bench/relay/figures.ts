import { type ChildProcessByStdio, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface, type Interface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { build } from "vite";
import { denoFlags, findDeno } from "../../scripts/support/deno.mjs";
import { findProgram } from "../../scripts/support/programs.mjs";
import type { LinkPage } from "../../test/e2e/support/link-page.ts";
import { startBrowser } from "../browser.ts";
import { type Figure, quantile } from "../table.ts";

/*
 * What goes through a relay, beside the same without one. Its parts run in Deno, as the relay does, and its node is a page
 * in Chromium.
 */

declare const link: LinkPage;

const ASKED = 500;
const WARM_UP = 200;
const SESSIONS = 1_000;
/** Sessions before counting begins: the first ones load code and grow tables. */
const FIRST_SESSIONS = 100;
/** Of an idle session, in bytes. */
const SESSION_BOUND = 60_000;

const parts = { forward: forwardFigures, sessions: sessionFigures, mailbox: mailboxFigures };

/** @param part - one of them, or all */
export async function relayFigures(part: string | undefined, say: (text: string) => void): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const [name, measure] of Object.entries(parts)) {
    if (part === undefined || part === name) figures.push(...(await measure(say)));
  }
  return figures;
}

type Deno = {
  child: ChildProcessByStdio<Writable, Readable, null>;
  lines: AsyncIterator<string>;
  origin: string;
  stop(): void;
};

/** @param isServer - whether the first line says where it is */
async function startDeno(script: string, args: string[], isServer = true): Promise<Deno> {
  const [run, ...flags] = denoFlags;
  const child = spawn(
    findDeno(),
    [run!, "--v8-flags=--expose-gc", ...flags, `bench/relay/deno/${script}.ts`, ...args],
    { stdio: ["pipe", "pipe", "inherit"] },
  );
  const reader: Interface = createInterface({ input: child.stdout });
  const lines = reader[Symbol.asyncIterator]();
  const origin = isServer ? (JSON.parse(await lineOf(lines)) as { origin: string }).origin : "";
  return { child, lines, origin, stop: () => child.kill("SIGKILL") };
}

async function lineOf(lines: AsyncIterator<string>): Promise<string> {
  const { done, value } = await lines.next();
  if (done) throw new Error("a part of the benchmark ended early: its message is above");
  return value;
}

async function forwardFigures(say: (text: string) => void): Promise<Figure[]> {
  const folder = await mkdtemp(join(tmpdir(), "hearth-bench-"));
  await build({
    ...{ root: process.cwd(), configFile: false, logLevel: "warn", publicDir: false },
    build: {
      ...{ target: "es2023", outDir: folder, emptyOutDir: false },
      lib: { entry: "test/e2e/support/link-page.ts", formats: ["es"], fileName: () => "node.js" },
      rolldownOptions: { output: { codeSplitting: false } },
    },
  });
  const relay = await startDeno("sessions", [join(folder, "node.js")]);
  const straight = await startDeno("echo", []);
  const browser = await startBrowser(join(folder, "profile"));
  try {
    const figures: Figure[] = [];
    for (const kind of ["webtransport", "websocket"] as const) {
      say(`forwarded requests over ${kind}`);
      const page = await browser.open(relay.origin);
      await page.evaluate(waitForLink, undefined);
      const name = await page.evaluate(startLink, kind);
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      const floor: number[] = [];
      const measured: number[] = [];
      for (let i = 0; i < WARM_UP + ASKED; i++) {
        const without = await ask(agent, `${straight.origin}/`);
        const through = await ask(agent, `${relay.origin}/forward?name=${name}`);
        if (i < WARM_UP) continue;
        floor.push(without);
        measured.push(through);
      }
      agent.destroy();
      await page.evaluate(stopLink, undefined);
      const [ms, floorMs] = [quantile(measured, 0.5), quantile(floor, 0.5)];
      const about = { unit: "ms", kind: "most", bound: 2.5 } as const;
      const label = `a request forwarded over ${kind}, p50 (floor: straight to a server)`;
      figures.push({ name: label, ...about, measured: ms, floor: floorMs, ratio: ms / floorMs });
    }
    return figures;
  } finally {
    await browser.close();
    relay.stop();
    straight.stop();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

const waitForLink = async () => {
  while (!("link" in globalThis)) await new Promise((resolve) => setTimeout(resolve, 10));
};
const startLink = async (kind: "webtransport" | "websocket") => {
  const open = await link.start([kind]);
  if (open !== kind) throw new Error(`the session is ${open}`);
  return link.serverName;
};
const stopLink = () => link.sleep();

const BODY = JSON.stringify({ pdus: [], edus: [], origin: "example.org", origin_server_ts: 1 }).padEnd(1_000);

/** @returns milliseconds until the answer is there */
function ask(agent: Agent, url: string): Promise<number> {
  const started = performance.now();
  return new Promise((resolve, reject) => {
    const asked = request(url, { agent, method: "POST" }, (answer) => {
      let length = 0;
      answer.on("data", (piece: Buffer) => {
        length += piece.length;
      });
      answer.on("error", reject);
      answer.on("end", () => {
        if (answer.statusCode === 200 && length === BODY.length) resolve(performance.now() - started);
        else reject(new Error(`${url}: ${answer.statusCode} with ${length} bytes`));
      });
    });
    asked.on("error", reject);
    asked.end(BODY);
  });
}

async function sessionFigures(say: (text: string) => void): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const kind of ["websocket", "webtransport"] as const) {
    say(`${SESSIONS} idle sessions over ${kind}`);
    const relay = await startDeno("sessions", []);
    const nodes = await startDeno("nodes", [relay.origin, kind], false);
    const open = async (count: number) => {
      nodes.child.stdin.write(`${count}\n`);
      await lineOf(nodes.lines);
    };
    const held = async () => {
      const { rss, open } = (await (await fetch(`${relay.origin}/memory`)).json()) as {
        rss: number;
        open: Record<string, number>;
      };
      return { rss, sessions: open[kind] ?? 0 };
    };
    try {
      await open(FIRST_SESSIONS);
      const before = await held();
      await open(SESSIONS);
      const after = await held();
      const each = (after.rss - before.rss) / (after.sessions - before.sessions);
      figures.push({
        name: `an idle session over ${kind}, of ${after.sessions} (floor: what is allowed)`,
        ...{ unit: "kB", measured: each / 1000, floor: SESSION_BOUND / 1000 },
        ...{ ratio: each / SESSION_BOUND, kind: "most", bound: 1 },
      });
    } finally {
      nodes.stop();
      relay.stop();
    }
  }
  return figures;
}

type Round = { put: number; floorPut: number; take: number; floorTake: number };

async function mailboxFigures(say: (text: string) => void): Promise<Figure[]> {
  const folder = await mkdtemp(join(tmpdir(), "hearth-bench-"));
  const run = async (args: string[]): Promise<unknown> => {
    const part = await startDeno("mailbox", args, false);
    return JSON.parse(await lineOf(part.lines));
  };
  try {
    say("mailbox over SQLite");
    const { mail, rounds } = (await run([folder])) as { mail: number; rounds: Round[] };
    const rate = (ms: number) => (mail / ms) * 1000;
    const figure = (name: string, of: "put" | "take", floorOf: "floorPut" | "floorTake"): Figure => ({
      ...{ name, unit: "/s", kind: "least", bound: 0.5 },
      measured: rate(middle(rounds.map((round) => round[of]))),
      floor: rate(middle(rounds.map((round) => round[floorOf]))),
      ratio: middle(rounds.map((round) => round[floorOf] / round[of])),
    });
    const figures = [
      figure("mail put into a mailbox (floor: bare rows)", "put", "floorPut"),
      figure("mail taken and acknowledged (floor: rows read and removed)", "take", "floorTake"),
    ];
    if (findProgram("HEARTH_NATS_SERVER", ["nats-server"], ["/usr/sbin", "/usr/local/sbin"]) === undefined) {
      say("nats-server is not installed: puts over a cluster are not measured");
      return figures;
    }
    say("mailbox over NATS");
    const { one, three } = (await run([folder, "nats"])) as { one: number[]; three: number[] };
    const [alone, shared] = [rate(middle(one)), rate(middle(three))];
    figures.push({
      name: "mail put with three copies over NATS (floor: with one)",
      ...{ unit: "/s", measured: shared, floor: alone, ratio: shared / alone, kind: "none", bound: 0 },
    });
    return figures;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const middle = (values: readonly number[]) => quantile(values, 0.5);
