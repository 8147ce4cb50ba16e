import { findProgram, installWithApt } from "./programs.mjs";
import { Failure } from "./steps.mjs";

const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/**
 * What headless tests want of Chromium: to run as root, in a container, and without traffic of its own.
 */
export const chromiumFlags = [
  "--no-sandbox",
  "--disable-gpu",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/**
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {string | undefined} the path of a Chromium: HEARTH_CHROMIUM's, else the first one on PATH
 * @throws {Failure} when HEARTH_CHROMIUM names no program
 */
export function findChromium(env = process.env) {
  return findProgram("HEARTH_CHROMIUM", names, [], env);
}

/**
 * Finds Chromium or installs it with apt-get.
 * @returns {Promise<string>} its path
 * @throws {Failure} with the remedy, where it can do neither
 */
export async function ensureChromium() {
  const found = findChromium();
  if (found) return found;
  await installWithApt("chromium", "the browser tests");
  const installed = findChromium();
  if (installed) return installed;
  throw new Failure(
    "the browser tests need Chromium, and it could not be installed: install it yourself " +
      "(Debian: apt-get install chromium) or set HEARTH_CHROMIUM to the path of one.",
  );
}
