// `npm test [-- filter or Vitest option ...]`: installs what is missing, builds, and runs every project.
import { mkdir, readFile, rm } from "node:fs/promises";
import { ensureChromium } from "./support/chromium.mjs";
import { ensureDependencies } from "./support/dependencies.mjs";
import { ensureDist } from "./support/dist.mjs";
import { main, root, run, say } from "./support/steps.mjs";
import { closingLine, countTests } from "./support/test-counts.mjs";

const reportFile = `${root}.cache/vitest.json`;

await main(async () => {
  await ensureDependencies();
  const chromium = await ensureChromium();
  await ensureDist();
  await mkdir(`${root}.cache`, { recursive: true });
  await rm(reportFile, { force: true });
  say("running the tests");
  const exitCode = await run(
    process.execPath,
    [
      "node_modules/vitest/vitest.mjs",
      "run",
      "--reporter=default",
      "--reporter=json",
      `--outputFile.json=${reportFile}`,
      ...process.argv.slice(2),
    ],
    { HEARTH_CHROMIUM: chromium },
  );
  const report = await readFile(reportFile, "utf8").catch(() => '{"testResults":[]}');
  const counts = countTests(JSON.parse(report));
  const nothingRan = counts.passed + counts.failed === 0;
  if (nothingRan) say("no test ran: a filter that matches nothing, or a failure that is printed above.");
  // Vitest fails for more than a test: an unhandled rejection, a server that did not start.
  if (exitCode !== 0 && counts.failed === 0) counts.failed = 1;
  if (exitCode !== 0 || nothingRan) process.exitCode = 1;
  console.log(closingLine(counts));
});
