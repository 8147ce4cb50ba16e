import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { MSC3575List } from "matrix-js-sdk/lib/sliding-sync.js";
import type { JSHandle, Page } from "playwright-core";
import { build } from "vite";
import { distFolder } from "../../../scripts/support/dist.mjs";
import { serveFolder } from "../../../scripts/support/static-server.mjs";
import type { Device } from "./device-page/device.ts";
import { launchBrowser } from "./launch-browser.ts";

export type DeviceHandle = JSHandle<Device>;

/** A page of a homeserver, in which a test runs the devices of several people. */
export type DevicesPage = {
  page: Page;
  /** Answers of the homeserver that no request should get: those with a status of 500 or more. */
  faults: string[];
  /** Makes an account, with a first device that has synced. */
  signUp(username: string, deviceName: string): Promise<DeviceHandle>;
  /** Adds a device to an account, and lets it sync. */
  logIn(username: string, deviceName: string): Promise<DeviceHandle>;
  /** The same, for a device that syncs by a list of rooms. */
  logInSliding(username: string, deviceName: string, list: MSC3575List): Promise<DeviceHandle>;
  close(): Promise<void>;
};

/** Makes a folder of the built page and, beside it, the test's devices. Whoever asked for it removes it. */
export async function folderWithDevices(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "hearth-devices-"));
  await cp(distFolder, folder, { recursive: true });
  await bundleDevices(join(folder, "devices"));
  return folder;
}

/** Brings the test's devices into a page that is served from such a folder: `window.devices`. */
export async function bringDevices(page: Page): Promise<void> {
  await page.addScriptTag({ url: "./devices/main.js", type: "module" });
  await page.waitForFunction(() => window.devices !== undefined);
  await page.evaluate(() => window.devices.homeserverAnswers());
}

/** Serves the built page and, beside it, the test's devices, and opens it in a browser of its own. */
export async function openDevicesPage(): Promise<DevicesPage> {
  const folder = await folderWithDevices();
  const server = await serveFolder(folder, 0);
  const context = await launchBrowser();
  const faults: string[] = [];
  context.on("response", (response) => {
    if (response.status() >= 500)
      faults.push(`${response.status()} ${response.request().method()} ${response.url()}`);
  });
  const page = await context.newPage();
  await page.goto(server.url);
  await bringDevices(page);
  return {
    page,
    faults,
    signUp: (username, name) =>
      page.evaluateHandle(async ([username, name]) => (await window.devices.signUp(username, name)).start(), [
        username,
        name,
      ] as const),
    logIn: (username, name) =>
      page.evaluateHandle(async ([username, name]) => (await window.devices.logIn(username, name)).start(), [
        username,
        name,
      ] as const),
    logInSliding: (username, name, list) =>
      page.evaluateHandle(
        async ({ username, name, list }) => (await window.devices.logIn(username, name)).start(list),
        { username, name, list },
      ),
    async close() {
      await context.close();
      await server.close();
      await rm(folder, { recursive: true });
    },
  };
}

async function bundleDevices(outDir: string): Promise<void> {
  await build({
    root: process.cwd(),
    configFile: false,
    logLevel: "warn",
    base: "./",
    publicDir: false,
    build: {
      target: "es2023",
      outDir,
      emptyOutDir: false,
      reportCompressedSize: false,
      chunkSizeWarningLimit: 10_000,
      assetsInlineLimit: 0, // the page's policy lets nothing load that is not a file of its origin
      rolldownOptions: {
        input: "test/e2e/support/device-page/main.ts",
        output: { entryFileNames: "main.js" },
      },
    },
  });
}
