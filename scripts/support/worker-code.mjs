import { readdir, readFile } from "node:fs/promises";
import { distFolder } from "./dist.mjs";

const main = /^worker-main-.*\.js$/;
/** What a module cannot start without; `import(…)` is loaded when it is first called. */
const staticImport = /(?:^|[;}])(?:import|export)(?:[^"'`();]*?from)?\s*["'`]\.\/([^"'`]+)["'`]/g;

/**
 * The files of the built page that have to be loaded before the homeserver is there.
 * @returns {Promise<string[]>} paths within dist
 */
export async function codeAtOpening() {
  const assets = await readdir(`${distFolder}/assets`);
  const needed = assets.filter((name) => main.test(name));
  if (needed.length !== 1) throw new Error(`one main file of the worker was expected, not ${needed.length}`);
  for (const name of needed) {
    const code = await readFile(`${distFolder}/assets/${name}`, "utf8");
    for (const [, imported = ""] of code.matchAll(staticImport)) {
      if (!needed.includes(imported)) needed.push(imported);
    }
  }
  return ["sw.js", ...needed.map((name) => `assets/${name}`)];
}
