import { type BrowserContext, chromium } from "playwright-core";
import { chromiumFlags, ensureChromium } from "../../../scripts/support/chromium.mjs";

/**
 * Starts a headless Chromium of its own. Closing the context ends the browser.
 * @param profileDir - a folder that keeps what the browser stores, so that a test can close it and come back
 *   to the same homeserver; without it the profile is new and goes with the browser
 */
export async function launchBrowser({ profileDir = "" } = {}): Promise<BrowserContext> {
  return chromium.launchPersistentContext(profileDir, {
    executablePath: await ensureChromium(),
    args: chromiumFlags,
    headless: true,
  });
}
