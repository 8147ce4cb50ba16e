import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { type BrowserContext, chromium } from "playwright-core";
import { chromiumFlags, ensureChromium } from "../../../scripts/support/chromium.mjs";

/** A Chromium that can be killed the hard way, with all its processes. */
export type ChromiumProcess = {
  context: BrowserContext;
  /** Ends all its processes at once, with no chance to write anything. @returns the signal that ended it */
  kill(): Promise<NodeJS.Signals | null>;
  /** Ends it in good order. */
  close(): Promise<void>;
};

/** @param profileDir - keeps what the browser stores, across its lives */
export async function startChromium(profileDir: string): Promise<ChromiumProcess> {
  const args = [
    ...chromiumFlags,
    "--headless=new",
    "--remote-debugging-port=0",
    `--user-data-dir=${profileDir}`,
  ];
  const child = spawn(await ensureChromium(), [...args, "about:blank"], {
    // A process group of its own: a signal to the group reaches renderers and helpers as well.
    detached: true,
    stdio: ["ignore", "ignore", "pipe"],
  });
  const { pid } = child;
  if (pid === undefined) throw new Error("Chromium could not be started");
  const exit = once(child, "exit") as Promise<[number | null, NodeJS.Signals | null]>;
  const browser = await chromium.connectOverCDP(
    await Promise.race([endpointOf(child.stderr), exit.then(died)]),
  );
  const [context] = browser.contexts();
  if (context === undefined) throw new Error("Chromium has no default profile");
  return {
    context,
    async kill() {
      process.kill(-pid, "SIGKILL");
      const [, signal] = await exit;
      return signal;
    },
    async close() {
      const session = await browser.newBrowserCDPSession();
      await session.send("Browser.close");
      await exit;
    },
  };
}

/** The address for the debugging protocol, which Chromium writes among its messages when it is ready. */
async function endpointOf(stderr: NodeJS.ReadableStream): Promise<string> {
  const lines = createInterface({ input: stderr });
  return new Promise((resolve) => {
    // Goes on reading after it has been found: a full pipe would block the browser.
    lines.on("line", (line) => {
      const endpoint = /DevTools listening on (ws:\S+)/.exec(line)?.[1];
      if (endpoint !== undefined) resolve(endpoint);
    });
  });
}

function died([code, signal]: [number | null, NodeJS.Signals | null]): never {
  throw new Error(`Chromium ended before it could be reached (${signal ?? code})`);
}
