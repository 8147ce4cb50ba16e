// `npm test [-- filter or Vitest option ...]`: installs what is missing, builds, and runs every project.
import { mkdir, readFile, rm } from "node:fs/promises";
import { ensureChromium } from "./support/chromium.mjs";
import { denoFlags, findDeno } from "./support/deno.mjs";
import { ensureDependencies } from "./support/dependencies.mjs";
import { ensureDist } from "./support/dist.mjs";
import { ensureNatsServer } from "./support/nats-server.mjs";
import { main, root, run, say } from "./support/steps.mjs";
import { ensureSynapse } from "./support/synapse.mjs";
import { closingLine, countTests } from "./support/test-counts.mjs";

const vitest = "node_modules/vitest/vitest.mjs";
const options = process.argv.slice(2);
/** Not before all that the tests with Synapse need of federation is there. `npm run test:interop` runs them. */
const WITH_SYNAPSE = false;

/**
 * What runs the tests: the relay's where the relay runs, in Deno, all others in Node.
 * @param {string} chromium
 * @param {string | undefined} natsServer
 * @returns {{ name: string, program: string, args: string[], env: Record<string, string> }[]}
 */
const runs = (chromium, natsServer) => [
  { name: "vitest", program: process.execPath, args: [vitest, "run"], env: { HEARTH_CHROMIUM: chromium } },
  {
    name: "vitest-relay",
    program: findDeno(),
    args: [...denoFlags, vitest, "run", "--config", "vitest.relay.config.ts"],
    env: natsServer === undefined ? {} : { HEARTH_NATS_SERVER: natsServer },
  },
];

/**
 * The tests with Synapse, which are skipped where there is none.
 * @param {string} chromium
 * @returns {Promise<ReturnType<typeof runs>>}
 */
async function interopRuns(chromium) {
  if (!WITH_SYNAPSE) return [];
  const synapse = await ensureSynapse();
  const env = { HEARTH_CHROMIUM: chromium, ...(synapse && { HEARTH_SYNAPSE_PYTHON: synapse }) };
  const args = [vitest, "run", "--config", "vitest.interop.config.ts"];
  return [{ name: "vitest-interop", program: process.execPath, args, env }];
}

/**
 * @param {ReturnType<typeof runs>[number]} run
 * @returns {Promise<import("./support/test-counts.mjs").Counts>}
 */
async function testsOf({ name, program, args, env }) {
  const reportFile = `${root}.cache/${name}.json`;
  await rm(reportFile, { force: true });
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${reportFile}`];
  const exitCode = await run(program, [...args, ...reporters, "--passWithNoTests", ...options], env);
  const report = await readFile(reportFile, "utf8").catch(() => '{"testResults":[]}');
  const counts = countTests(JSON.parse(report));
  // Vitest fails for more than a test: an unhandled rejection, a server that did not start.
  if (exitCode !== 0 && counts.failed === 0) counts.failed = 1;
  return counts;
}

await main(async () => {
  await ensureDependencies();
  const chromium = await ensureChromium();
  const natsServer = await ensureNatsServer();
  await ensureDist();
  await mkdir(`${root}.cache`, { recursive: true });
  say("running the tests");
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for (const one of [...runs(chromium, natsServer), ...(await interopRuns(chromium))]) {
    const { passed, failed, skipped } = await testsOf(one);
    counts.passed += passed;
    counts.failed += failed;
    counts.skipped += skipped;
  }
  const nothingRan = counts.passed + counts.failed === 0;
  if (nothingRan) say("no test ran: a filter that matches nothing, or a failure that is printed above.");
  if (counts.failed > 0 || nothingRan) process.exitCode = 1;
  console.log(closingLine(counts));
});
