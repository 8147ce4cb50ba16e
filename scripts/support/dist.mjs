import { readFile } from "node:fs/promises";
import { sourceVersion } from "./source-version.mjs";
import { Failure, root, run, say } from "./steps.mjs";

/** The folder that a build fills, and the file that it writes last. */
export const distFolder = `${root}dist`;
export const versionFile = `${distFolder}/version.json`;

/** @returns {Promise<boolean>} whether dist is whole and was built from the sources as they are now */
export async function distIsFresh() {
  const text = await readFile(versionFile, "utf8").catch(() => "{}");
  return JSON.parse(text).version === (await sourceVersion());
}

/** Builds where dist is missing, half-made or older than the sources. */
export async function ensureDist() {
  if (await distIsFresh()) return;
  say("building the page (npm run build)");
  const code = await run(process.execPath, ["scripts/build.mjs"]);
  if (code !== 0) throw new Failure("the build failed: its message is above.");
}
