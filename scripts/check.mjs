// `npm run check`: all that can be said about the sources without running them. Every step runs, so that
// one look shows every complaint.
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { ensureDependencies } from "./support/dependencies.mjs";
import { machinePaths } from "./support/machine-paths.mjs";
import { Failure, main, root, run } from "./support/steps.mjs";

/** @param {string[]} words - a program of node_modules/.bin and its arguments */
const tool =
  ([name = "", ...args]) =>
  () =>
    run(`${root}node_modules/.bin/${name}`, args);

const textFile = /\.(md|[cm]?[jt]sx?|json|html|css|ya?ml)$|^\.ci\/run$/;

function noMachinePaths() {
  const tracked = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], {
    cwd: root,
    encoding: "utf8",
  });
  // git still lists what was deleted and not committed yet.
  const texts = tracked.split("\0").filter((file) => textFile.test(file) && existsSync(root + file));
  let found = 0;
  for (const file of texts) {
    for (const { line, text } of machinePaths(readFileSync(root + file, "utf8"))) {
      console.error(`${file}:${line}: names a path of one machine: ${text.slice(0, 120)}`);
      found += 1;
    }
  }
  return found;
}

const typeChecks = readdirSync(root).filter((name) => /^tsconfig\.(?!base)\w+\.json$/.test(name));

/** @type {[name: string, step: () => number | Promise<number>][]} */
const steps = [
  ["format and lint (biome)", tool(["biome", "check", "--error-on-warnings", "."])],
  ["floating promises (eslint)", tool(["eslint", "--max-warnings=0", "."])],
  ...typeChecks.map(
    /** @returns {[string, () => Promise<number>]} */
    (name) => [`types (${name})`, tool(["tsc", "-p", name])],
  ),
  [
    "import rules (dependency-cruiser)",
    tool(["depcruise", "--config", ".dependency-cruiser.cjs", "src", "test"]),
  ],
  ["no paths of one machine", noMachinePaths],
];

await main(async () => {
  await ensureDependencies();
  const failed = [];
  for (const [name, step] of steps) {
    const started = performance.now();
    const good = (await step()) === 0;
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    console.log(`${good ? "ok  " : "FAIL"} ${name} (${seconds} s)`);
    if (!good) failed.push(name);
  }
  if (failed.length > 0) throw new Failure(`check failed: ${failed.join("; ")}`);
});
