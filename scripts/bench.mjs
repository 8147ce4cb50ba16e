// `npm run bench [-- argument ...]`: bundles bench/run.ts, since Node 20 runs no TypeScript, and runs the
// bundle in a process of its own, with nothing of the bundler in its memory or its measurements.
import { build } from "vite";
import { ensureDependencies } from "./support/dependencies.mjs";
import { Failure, main, root, run } from "./support/steps.mjs";

const outDir = `${root}.cache/bench`;

await main(async () => {
  await ensureDependencies();
  await build({
    root,
    configFile: false,
    logLevel: "warn",
    define: { __HEARTH_VERSION__: JSON.stringify("bench") },
    build: { ssr: "bench/run.ts", outDir, emptyOutDir: true, copyPublicDir: false, target: "node20" },
  });
  const code = await run(process.execPath, ["--expose-gc", `${outDir}/run.js`, ...process.argv.slice(2)]);
  if (code !== 0) throw new Failure(`the benchmark ended with exit code ${code}.`);
});
