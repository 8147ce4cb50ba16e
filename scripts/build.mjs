// `npm run build`: sources -> dist/, a folder for any static host, under any path.
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import { build } from "vite";
import { injectManifest } from "workbox-build";
import { distFolder, versionFile } from "./support/dist.mjs";
import { sourceVersion } from "./support/source-version.mjs";
import { Failure, main, root, say } from "./support/steps.mjs";
import { codeAtOpening } from "./support/worker-code.mjs";

/** Service worker plus worker code at opening, gzip bytes: what a phone has to load before the homeserver is there. */
const workerBudget = 150_000;
/** Taken out of git's sight: the service worker before the list of the app shell is in it. */
const scratchFolder = `${root}.cache/build`;

/** @param {string} path */
async function sizes(path) {
  const bytes = await readFile(path);
  return { raw: bytes.length, gzip: gzipSync(bytes, { level: 9 }).length };
}

/** @param {number} bytes */
const kB = (bytes) => `${(bytes / 1000).toFixed(1)} kB`;

/**
 * One classic script: a service worker of modules cannot be registered everywhere, and one of several files
 * could be updated in part.
 * @param {string} version
 */
async function buildServiceWorker(version) {
  const result = await build({
    root,
    configFile: false,
    logLevel: "warn",
    define: { __HEARTH_VERSION__: JSON.stringify(version) },
    build: {
      write: false,
      copyPublicDir: false,
      rolldownOptions: {
        input: `${root}src/sw/main.ts`,
        output: { format: "iife", entryFileNames: "sw.js", codeSplitting: false },
      },
    },
  });
  if (Array.isArray(result) || !("output" in result)) throw new Error("one output was asked of the build");
  const [script, ...others] = result.output;
  if (others.length > 0 || script.imports.length > 0) {
    const names = [...others.map((other) => other.fileName), ...script.imports].join(", ");
    throw new Failure(`the service worker has to be one file without imports, but needs ${names}.`);
  }
  await mkdir(scratchFolder, { recursive: true });
  await writeFile(`${scratchFolder}/sw.js`, script.code);
  return injectManifest({
    swSrc: `${scratchFolder}/sw.js`,
    swDest: `${distFolder}/sw.js`,
    globDirectory: distFolder,
    globPatterns: ["**/*.{html,js,css,wasm,webmanifest,svg,png,ico,woff2}"],
    // matrix-js-sdk brings it along, and nothing asks for it yet: five megabytes that each visitor would load.
    globIgnores: ["**/matrix_sdk_crypto_wasm*"],
    // These names change with their content: the service worker need not bypass the HTTP cache for them.
    dontCacheBustURLsMatching: /^assets\//,
    maximumFileSizeToCacheInBytes: 32_000_000,
  });
}

async function printSizes() {
  const files = (await readdir(distFolder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => `${entry.parentPath}/${entry.name}`.slice(distFolder.length + 1))
    .sort();
  const atOpening = await codeAtOpening();
  let workers = 0;
  for (const file of files) {
    const { raw, gzip } = await sizes(`${distFolder}/${file}`);
    console.log(`  ${file.padEnd(60)} ${kB(raw).padStart(12)} ${`gzip ${kB(gzip)}`.padStart(18)}`);
    if (atOpening.includes(file)) workers += gzip;
  }
  const line = `service worker and worker at opening: ${kB(workers)} gzip of at most ${kB(workerBudget)}`;
  if (workers > workerBudget) throw new Failure(`${line}: too large. Look for a dependency that came in.`);
  say(line);
}

await main(async () => {
  // Under a test runner it says otherwise, and Vite would build a page for its development server.
  process.env.NODE_ENV = "production";
  const version = await sourceVersion();
  await rm(distFolder, { recursive: true, force: true });
  await build({ root, logLevel: "warn" });
  const { count, size, warnings } = await buildServiceWorker(version);
  if (warnings.length > 0) throw new Failure(`the app shell is not whole: ${warnings.join(" ")}`);
  await printSizes();
  say(`app shell: ${count} files, ${kB(size)}`);
  // Written last: its presence says that the folder is whole.
  await writeFile(versionFile, `${JSON.stringify({ version })}\n`);
  say(`built ${version} into dist/`);
});
