import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { BrowserContext, Page } from "playwright-core";
import { build } from "vite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { denoFlags, findDeno } from "../../scripts/support/deno.mjs";
import { launchBrowser } from "./support/launch-browser.ts";
import type { LinkPage } from "./support/link-page.ts";

declare const link: LinkPage;

let folder: string;
let browser: BrowserContext;

/** The relay's sessions in a real Deno. */
async function startRelay(): Promise<{ origin: string; child: ChildProcess; stop(): Promise<void> }> {
  const script = "test/relay/support/link-relay-process.ts";
  const child = spawn(findDeno(), [...denoFlags, script, folder], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
  return {
    origin: (JSON.parse(line) as { origin: string }).origin,
    child,
    async stop() {
      const exit = once(child, "exit");
      child.kill("SIGKILL");
      await exit;
    },
  };
}

async function openPage(origin: string): Promise<Page> {
  const page = await browser.newPage();
  await page.goto(origin);
  await page.waitForFunction(() => "link" in globalThis);
  return page;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "hearth-link-"));
  await build({
    root: process.cwd(),
    configFile: false,
    logLevel: "warn",
    publicDir: false,
    build: {
      target: "es2023",
      outDir: folder,
      emptyOutDir: false,
      lib: { entry: "test/e2e/support/link-page.ts", formats: ["es"], fileName: () => "node.js" },
      rolldownOptions: { output: { codeSplitting: false } },
    },
  });
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser?.close();
  await rm(folder, { recursive: true, force: true });
});

describe.each([["webtransport" as const], ["websocket" as const], ["fetch" as const]])(
  "Chromium and Deno over %s",
  (kind) => {
    test("exchanges in both directions, a large body, and a small request beside one", async () => {
      const relay = await startRelay();
      const page = await openPage(relay.origin);
      expect(await page.evaluate((only) => link.start([only]), kind)).toBe(kind);
      expect(await page.evaluate(() => link.echo(5_000_000))).toBe(true);
      const name = await page.evaluate(() => link.serverName);
      const sent = "from somebody else ".repeat(10_000);
      const outside = await fetch(`${relay.origin}/forward?name=${name}`, { method: "POST", body: sent });
      expect(await outside.text()).toBe(sent);
      expect(await page.evaluate(() => link.smallBesideLarge(50_000_000))).toBe(200);
      await page.evaluate(() => link.sleep());
      await expect
        .poll(async () => (await fetch(`${relay.origin}/forward?name=${name}`, { method: "POST" })).status)
        .toBe(404);
      await page.close();
      await relay.stop();
    });
  },
);

test("WebSocket takes over when the packets of WebTransport vanish in the midst of a session", async () => {
  const relay = await startRelay();
  const page = await openPage(relay.origin);
  expect(await page.evaluate(() => link.start(["webtransport", "websocket"]))).toBe("webtransport");
  await fetch(`${relay.origin}/lose-packets`);
  // Nothing tells the page; it finds out that nobody answers.
  await page.waitForFunction(() => link.state() === "websocket", undefined, { timeout: 90_000 });
  expect(await page.evaluate(() => link.echo(500_000))).toBe(true);
  await page.close();
  await relay.stop();
});

test("a relay that is killed is seen to be gone", async () => {
  const relay = await startRelay();
  const page = await openPage(relay.origin);
  expect(await page.evaluate(() => link.start(["websocket"]))).toBe("websocket");
  await relay.stop();
  await page.waitForFunction(() => ["waiting", "connecting"].includes(link.state()));
  await expect(page.evaluate(() => link.echo(10))).rejects.toThrow("LinkError");
  await page.close();
});
