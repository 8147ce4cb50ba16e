// `npm run check`: all that can be said about the sources without running them. Every step runs, so that
// one look shows every complaint.
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { ensureDependencies } from "./support/dependencies.mjs";
import { machinePaths } from "./support/machine-paths.mjs";
import { Failure, main, root, runAside } from "./support/steps.mjs";

/** @typedef {{ exitCode: number, output: string }} Outcome */

/** @param {string[]} words - a program of node_modules/.bin and its arguments */
const tool =
  ([name = "", ...args]) =>
  () =>
    runAside(`${root}node_modules/.bin/${name}`, args);

const textFile = /\.(md|[cm]?[jt]sx?|json|html|css|ya?ml)$|^\.ci\/run$/;

function noMachinePaths() {
  const tracked = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], {
    cwd: root,
    encoding: "utf8",
  });
  // git still lists what was deleted and not committed yet.
  const texts = tracked.split("\0").filter((file) => textFile.test(file) && existsSync(root + file));
  const complaints = texts.flatMap((file) =>
    machinePaths(readFileSync(root + file, "utf8")).map(
      ({ line, text }) => `${file}:${line}: names a path of one machine: ${text.slice(0, 120)}\n`,
    ),
  );
  return { exitCode: complaints.length, output: complaints.join("") };
}

const typeChecks = readdirSync(root).filter((name) => /^tsconfig\.(?!base)\w+\.json$/.test(name));

/** @type {[name: string, step: () => Outcome | Promise<Outcome>][]} */
const steps = [
  ["floating promises (eslint)", tool(["eslint", "--max-warnings=0", "."])],
  ["format and lint (biome)", tool(["biome", "check", "--error-on-warnings", "."])],
  ...typeChecks.map(
    /** @returns {[string, () => Promise<Outcome>]} */
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
  /** @type {string[]} */
  const failed = [];
  const waiting = [...steps];
  const worker = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [name, step] = next;
      const started = performance.now();
      const { exitCode, output } = await step();
      const seconds = ((performance.now() - started) / 1000).toFixed(1);
      process.stdout.write(output);
      console.log(`${exitCode === 0 ? "ok  " : "FAIL"} ${name} (${seconds} s)`);
      if (exitCode !== 0) failed.push(name);
    }
  };
  // Types take more than a gigabyte each: two at a time, wherever there are the cores for it.
  await Promise.all(Array.from({ length: Math.min(2, availableParallelism()) }, worker));
  if (failed.length > 0) throw new Failure(`check failed: ${failed.join("; ")}`);
});
