import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

/** The project's folder, with a slash at its end. */
export const root = fileURLToPath(new URL("../../", import.meta.url));

/** A failure whose message is all that the user has to see: what is wrong, and the remedy. */
export class Failure extends Error {}

/** @param {string} line - one step that begins, for the user */
export function say(line) {
  console.log(`hearth: ${line}`);
}

/**
 * @param {string} command
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} env - added to the environment
 * @param {"inherit" | "pipe"} output
 */
const start = (command, args, env, output) =>
  spawn(command, args, {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ["ignore", output, output],
  });

/**
 * Runs a command in the project's folder, with this process's own output, and without input.
 * @param {string} command
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} [env] - added to the environment
 * @returns {Promise<number>} the exit code; 1 when a signal ended it, 127 when there is no such command
 */
export function run(command, args, env = {}) {
  return new Promise((resolve) => {
    const child = start(command, args, env, "inherit");
    child.on("error", () => resolve(127));
    child.on("close", (code) => resolve(code ?? 1));
  });
}

/**
 * The same for one of several that run at a time: what it says is given back, whole, to be printed when it has ended.
 * @param {string} command
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} [env] - added to the environment
 * @returns {Promise<{ exitCode: number, output: string }>}
 */
export function runAside(command, args, env = {}) {
  return new Promise((resolve) => {
    const child = start(command, args, env, "pipe");
    /** @type {Buffer[]} */
    const said = [];
    for (const stream of [child.stdout, child.stderr]) stream?.on("data", (bytes) => said.push(bytes));
    child.on("error", (error) => resolve({ exitCode: 127, output: `${error.message}\n` }));
    child.on("close", (code) => resolve({ exitCode: code ?? 1, output: Buffer.concat(said).toString() }));
  });
}

/**
 * The body of a script: a Failure is printed as one line, anything else with its stack.
 * @param {() => Promise<void>} body
 */
export async function main(body) {
  try {
    await body();
  } catch (error) {
    console.error(error instanceof Failure ? `hearth: ${error.message}` : error);
    process.exitCode = 1;
  }
}
