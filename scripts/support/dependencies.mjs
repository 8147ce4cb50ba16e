import { readFile } from "node:fs/promises";
import { nodeVersionProblem } from "./node-version.mjs";
import { Failure, root, run, say } from "./steps.mjs";

/** @typedef {Record<string, { version?: string, optional?: boolean, devOptional?: boolean }>} Packages */

/**
 * @param {string} path - of a lock file, relative to the project's folder
 * @returns {Promise<Packages | undefined>} its packages by their folder, undefined when there is no such file
 */
async function packagesOf(path) {
  const text = await readFile(root + path, "utf8").catch(() => undefined);
  return text === undefined ? undefined : JSON.parse(text).packages;
}

/**
 * Compares by content and not by age: a checkout writes files anew that are still the same.
 * @param {Packages | undefined} installed - what npm noted in node_modules, undefined when it never finished
 * @param {Packages} locked - what the lock file wants; its optional packages may be for other platforms
 */
export function needsInstall(installed, locked) {
  if (installed === undefined) return true;
  return Object.entries(locked).some(([folder, { version, optional, devOptional }]) => {
    if (folder === "") return false;
    const there = installed[folder];
    return there === undefined ? !(optional || devOptional) : there.version !== version;
  });
}

/** Installs the npm packages where they are missing or not those of the lock file. */
export async function ensureDependencies() {
  const problem = nodeVersionProblem(process.versions.node);
  if (problem) throw new Failure(problem);
  // npm writes this file last, so an interrupted install counts as none.
  const installed = await packagesOf("node_modules/.package-lock.json");
  if (!needsInstall(installed, (await packagesOf("package-lock.json")) ?? {})) return;
  say("installing npm packages (npm ci)");
  // Development packages build the page: they are wanted even where NODE_ENV says production.
  const code = await run("npm", ["ci", "--include=dev", "--no-audit", "--no-fund", "--loglevel=error"]);
  if (code !== 0) {
    throw new Failure("npm ci failed (its message is above): check the network, then run the command again.");
  }
}
