import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { Failure, run, say } from "./steps.mjs";

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
 * @param {string} variable
 * @param {readonly string[]} names
 * @param {readonly string[]} [otherFolders] where it may be beside PATH
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {string | undefined} the path of a program: the variable's, else the first one of these names on PATH
 * @throws {Failure} when the variable names no program
 */
export function findProgram(variable, names, otherFolders = [], env = process.env) {
  const chosen = env[variable];
  if (chosen) {
    if (isExecutable(chosen)) return chosen;
    throw new Failure(`${variable} is ${chosen}, which is no program: correct it, or unset it.`);
  }
  const folders = [...(env.PATH ?? "").split(delimiter).filter(Boolean), ...otherFolders];
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find(isExecutable);
}

/**
 * Tries to install a package of Debian's. Whether that has worked is seen by looking for the program.
 * @param {string} name
 * @param {string} purpose for people: what needs it
 */
export async function installWithApt(name, purpose) {
  say(`installing ${name} for ${purpose} (apt-get install ${name})`);
  // Without a terminal nobody can type a password: sudo must then fail and not wait.
  const sudo = process.getuid?.() === 0 ? [] : process.stdin.isTTY ? ["sudo"] : ["sudo", "-n"];
  for (const words of [
    ["apt-get", "update", "-qq"],
    ["apt-get", "install", "-y", "-qq", "--no-install-recommends", name],
  ]) {
    const [command = "", ...args] = [...sudo, "env", "DEBIAN_FRONTEND=noninteractive", ...words];
    if ((await run(command, args)) !== 0) break;
  }
}
