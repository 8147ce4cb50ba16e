// `npm test [-- filter or Vitest option ...]`: installs what is missing, builds, and runs every project.
import { mkdir, readFile, rm } from "node:fs/promises";
import { ensureChromium } from "./support/chromium.mjs";
import { denoFlags, findDeno } from "./support/deno.mjs";
import { ensureDependencies } from "./support/dependencies.mjs";
import { ensureDist } from "./support/dist.mjs";
import { ensureNatsServer } from "./support/nats-server.mjs";
import { main, root, run, runAside, say } from "./support/steps.mjs";
import { ensureSynapse } from "./support/synapse.mjs";
import { closingLine, countTests } from "./support/test-counts.mjs";

const vitest = "node_modules/vitest/vitest.mjs";
const options = process.argv.slice(2);

/** @typedef {{ name: string, program: string, args: string[], env: Record<string, string> }} TestRun */

/**
 * @param {string} chromium
 * @returns {TestRun}
 */
const inNode = (chromium) => ({
  ...{ name: "vitest", program: process.execPath, args: [vitest, "run"] },
  env: { HEARTH_CHROMIUM: chromium },
});

/**
 * The relay's, where the relay runs.
 * @param {string | undefined} natsServer
 * @returns {TestRun}
 */
const inDeno = (natsServer) => ({
  ...{ name: "vitest-relay", program: findDeno() },
  args: [...denoFlags, vitest, "run", "--config", "vitest.relay.config.ts"],
  env: natsServer === undefined ? {} : { HEARTH_NATS_SERVER: natsServer },
});

/**
 * Those with a real Synapse, which are skipped where there is none.
 * @param {string} chromium
 * @param {string | undefined} synapse
 * @returns {TestRun}
 */
const withSynapse = (chromium, synapse) => ({
  ...{ name: "vitest-interop", program: process.execPath },
  args: [vitest, "run", "--config", "vitest.interop.config.ts"],
  env: { HEARTH_CHROMIUM: chromium, ...(synapse && { HEARTH_SYNAPSE_PYTHON: synapse }) },
});

/**
 * @param {TestRun} run
 * @param {(program: string, args: string[], env: Record<string, string>) => Promise<number>} start
 * @returns {Promise<import("./support/test-counts.mjs").Counts>}
 */
async function testsOf({ name, program, args, env }, start = run) {
  const reportFile = `${root}.cache/${name}.json`;
  await rm(reportFile, { force: true });
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${reportFile}`];
  const exitCode = await start(program, [...args, ...reporters, "--passWithNoTests", ...options], env);
  const report = await readFile(reportFile, "utf8").catch(() => '{"testResults":[]}');
  const counts = countTests(JSON.parse(report));
  // Vitest fails for more than a test: an unhandled rejection, a server that did not start.
  if (exitCode !== 0 && counts.failed === 0) counts.failed = 1;
  return counts;
}

/** @type {typeof run} */
async function aside(program, args, env) {
  const { exitCode, output } = await runAside(program, args, env);
  process.stdout.write(output);
  return exitCode;
}

await main(async () => {
  await ensureDependencies();
  const chromium = await ensureChromium();
  const natsServer = await ensureNatsServer();
  const synapse = await ensureSynapse();
  await ensureDist();
  await mkdir(`${root}.cache`, { recursive: true });
  say("running the tests");
  const all = [await testsOf(inNode(chromium))];
  // Both wait for networks and clocks most of the time.
  all.push(
    ...(await Promise.all([testsOf(withSynapse(chromium, synapse)), testsOf(inDeno(natsServer), aside)])),
  );
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for (const { passed, failed, skipped } of all) {
    counts.passed += passed;
    counts.failed += failed;
    counts.skipped += skipped;
  }
  const nothingRan = counts.passed + counts.failed === 0;
  if (nothingRan) say("no test ran: a filter that matches nothing, or a failure that is printed above.");
  if (counts.failed > 0 || nothingRan) process.exitCode = 1;
  console.log(closingLine(counts));
});
