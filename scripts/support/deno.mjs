import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { Failure, root } from "./steps.mjs";

/**
 * The program that runs the relay: it comes with the npm packages, but for platforms that have no such package.
 * @returns {string} its path, or its name where it is found by that
 * @throws {Failure} where there is none
 */
export function findDeno() {
  const path = `${root}node_modules/.bin/deno`;
  for (const program of [path, "deno"]) {
    if (program === path && !existsSync(path)) continue;
    try {
      execFileSync(program, ["--version"], { stdio: "ignore" });
      return program;
    } catch {
      // The next one, or the remedy below.
    }
  }
  throw new Failure(
    "Deno is missing, which runs the relay: install Deno 2.9 or newer, and see that `deno` is found.",
  );
}

/** What the relay may do; QUIC for WebTransport is behind a flag of Deno's, and so is that a request that was answered is not taken for one that was given up. */
export const denoFlags = ["run", "--allow-all", "--unstable-net", "--unstable-no-legacy-abort", "--no-lock"];
