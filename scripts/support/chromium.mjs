import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { Failure, run, say } from "./steps.mjs";

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

/** @param {string} path */
function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {string | undefined} the path of a Chromium: HEARTH_CHROMIUM's, else the first one on PATH
 * @throws {Failure} when HEARTH_CHROMIUM names no program
 */
export function findChromium(env = process.env) {
  const chosen = env.HEARTH_CHROMIUM;
  if (chosen) {
    if (isExecutable(chosen)) return chosen;
    throw new Failure(`HEARTH_CHROMIUM is ${chosen}, which is no program: correct it, or unset it.`);
  }
  const folders = (env.PATH ?? "").split(delimiter).filter(Boolean);
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find(isExecutable);
}

/**
 * Finds Chromium or installs it with apt-get.
 * @returns {Promise<string>} its path
 * @throws {Failure} with the remedy, where it can do neither
 */
export async function ensureChromium() {
  const found = findChromium();
  if (found) return found;
  say("installing Chromium for the browser tests (apt-get install chromium)");
  // Without a terminal nobody can type a password: sudo must then fail and not wait.
  const sudo = process.getuid?.() === 0 ? [] : process.stdin.isTTY ? ["sudo"] : ["sudo", "-n"];
  for (const words of [
    ["apt-get", "update", "-qq"],
    ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"],
  ]) {
    const [command = "", ...args] = [...sudo, "env", "DEBIAN_FRONTEND=noninteractive", ...words];
    if ((await run(command, args)) !== 0) break;
  }
  const installed = findChromium();
  if (installed) return installed;
  throw new Failure(
    "the browser tests need Chromium, and it could not be installed: install it yourself " +
      "(Debian: apt-get install chromium) or set HEARTH_CHROMIUM to the path of one.",
  );
}
