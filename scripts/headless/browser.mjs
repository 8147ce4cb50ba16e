import { chromium } from "playwright-core";
import { chromiumFlags, ensureChromium } from "../support/chromium.mjs";
import { Failure } from "../support/steps.mjs";

const NO_SANDBOX = "--no-sandbox";

/**
 * The system's Chromium without a window, over a profile that lasts.
 * @param {string} profile
 * @returns {Promise<import("playwright-core").BrowserContext>}
 * @throws {Failure}
 */
export async function openBrowser(profile) {
  const isRoot = process.getuid?.() === 0;
  if (isRoot) console.error("hearth: started by root, so that Chromium runs without its sandbox");
  const executablePath = await ensureChromium();
  try {
    return await chromium.launchPersistentContext(profile, {
      executablePath,
      headless: true,
      chromiumSandbox: !isRoot,
      args: chromiumFlags.filter((flag) => flag !== NO_SANDBOX),
      // Whoever has started this process says when it ends, and how.
      handleSIGINT: false,
      handleSIGTERM: false,
      handleSIGHUP: false,
    });
  } catch (error) {
    const [line] = String(error instanceof Error ? error.message : error).split("\n");
    const isTaken = String(error).includes("ProcessSingleton") || String(error).includes("SingletonLock");
    throw new Failure(
      isTaken ? `another browser has the profile ${profile} open.` : `Chromium could not be started: ${line}`,
    );
  }
}
