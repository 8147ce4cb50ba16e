import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { denoFlags, findDeno } from "./deno.mjs";
import { root } from "./steps.mjs";

/** How the relay ends when it cannot listen; see src/relay/main.ts. */
export const cannotListen = 3;

/**
 * Runs the relay until it ends, or a signal ends this process.
 * @param {string[]} args - its own
 * @param {(line: string) => void} onLine - told each line that it says to whoever has started it
 * @returns {Promise<number>} its exit code
 */
export function runRelay(args, onLine) {
  return new Promise((resolve, reject) => {
    const child = spawn(findDeno(), [...denoFlags, `${root}src/relay/main.ts`, ...args], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    createInterface({ input: child.stdout }).on("line", onLine);
    child.once("error", reject);
    // "close": after its last line.
    child.once("close", (code) => resolve(code ?? 1));
    // From a terminal, the relay gets Ctrl-C itself; two signals would end it at once.
    process.on("SIGINT", () => undefined);
    process.on("SIGTERM", () => child.kill("SIGTERM"));
  });
}
