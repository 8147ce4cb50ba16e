// `npm run test:interop [-- filter or Vitest option ...]`: the tests with a real Synapse. See docs/headless.md.
import { ensureChromium } from "./support/chromium.mjs";
import { ensureDependencies } from "./support/dependencies.mjs";
import { ensureDist } from "./support/dist.mjs";
import { main, run } from "./support/steps.mjs";
import { ensureSynapse } from "./support/synapse.mjs";

await main(async () => {
  await ensureDependencies();
  const chromium = await ensureChromium();
  const synapse = await ensureSynapse();
  await ensureDist();
  const vitest = ["node_modules/vitest/vitest.mjs", "run", "--config", "vitest.interop.config.ts"];
  process.exitCode = await run(process.execPath, [...vitest, ...process.argv.slice(2)], {
    HEARTH_CHROMIUM: chromium,
    ...(synapse !== undefined && { HEARTH_SYNAPSE_PYTHON: synapse }),
  });
});
