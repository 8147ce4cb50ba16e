import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const script = fileURLToPath(new URL("../../../scripts/headless.mjs", import.meta.url));

/** What is said of a homeserver that is up: see scripts/headless/host.mjs. */
export type Ready = {
  server_name: string;
  client_api: string[];
  relays: { url: string; connection: string }[];
  pid: number;
};

/** A homeserver without a window, as an operator runs it. */
export type HeadlessProcess = {
  ready: Ready;
  child: ChildProcess;
  /** Milliseconds from its start until it was ready. */
  tookMs: number;
  /** What it has told on stderr. */
  told(): string;
  /** Resolves when it has ended, by itself or not. */
  exit: Promise<number | NodeJS.Signals | null>;
  /** Ends it as a service manager does. @returns its exit code */
  stop(): Promise<number | NodeJS.Signals | null>;
};

/** @throws Error with what it has told, where it ends before it is up */
export async function startHeadless(args: string[], env: NodeJS.ProcessEnv = {}): Promise<HeadlessProcess> {
  const started = performance.now();
  const child = spawn(process.execPath, [script, ...args], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let told = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    told += text;
  });
  const exit = once(child, "exit").then(([code, signal]) => (code ?? signal) as number | NodeJS.Signals);
  const lines = createInterface({ input: child.stdout });
  const ready = new Promise<Ready>((resolve) => {
    lines.on("line", (line) => line.startsWith("{") && resolve(JSON.parse(line) as Ready));
  });
  const ended = exit.then((code) => {
    throw new Error(`the homeserver has ended (${code}) before it was up: ${told}`);
  });
  ended.catch(() => undefined);
  return {
    ready: await Promise.race([ready, ended]),
    child,
    tookMs: Math.round(performance.now() - started),
    told: () => told,
    exit,
    stop: () => {
      child.kill("SIGTERM");
      return exit;
    },
  };
}
