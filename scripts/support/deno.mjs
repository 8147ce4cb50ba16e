import { existsSync } from "node:fs";
import { Failure, root } from "./steps.mjs";

/**
 * The program that runs the relay: it comes with the npm packages.
 * @returns {string} its path
 * @throws {Failure} where there is none for this platform
 */
export function findDeno() {
  const path = `${root}node_modules/.bin/deno`;
  if (existsSync(path)) return path;
  throw new Failure(
    "Deno is missing, which runs the relay: run `npm ci` (not with --omit=optional) and try again.",
  );
}

/** What the relay may do: QUIC for WebTransport is behind a flag of Deno's. */
export const denoFlags = ["run", "--allow-all", "--unstable-net", "--no-lock"];
