import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { root } from "./steps.mjs";

/** All that decides what dist contains; a folder ends in a slash. */
const sources = [
  "index.html",
  "package.json",
  "package-lock.json",
  "public/",
  "scripts/build.mjs",
  "src/",
  "vite.config.ts",
];

/** @param {string} folder */
async function filesBelow(folder) {
  const entries = await readdir(root + folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isFile()).map((entry) => `${entry.parentPath}/${entry.name}`);
}

/**
 * The version that a build of these sources carries: the package's, and a hash of the sources, so that
 * two builds have the same version exactly when they were made from the same files.
 * @returns {Promise<string>} such as `0.1.0+3f2a9c04d1be`
 */
export async function sourceVersion() {
  /** @type {string[]} */
  const files = [];
  for (const source of sources) {
    files.push(...(source.endsWith("/") ? await filesBelow(source) : [root + source]));
  }
  const hash = createHash("sha256");
  for (const file of files.sort()) {
    const text = await readFile(file).catch(() => "");
    hash.update(`${file.slice(root.length)}\0${text.length}\0`).update(text);
  }
  const { version } = JSON.parse(await readFile(`${root}package.json`, "utf8"));
  return `${version}+${hash.digest("hex").slice(0, 12)}`;
}
