import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "vite";
import { serveFolder } from "../../scripts/support/static-server.mjs";

/**
 * Bundles the worker that is measured, from the sources as they are, and serves it with an empty page.
 * @param entry - its module, as a path from the root
 */
export async function serveWorker(entry: string): Promise<{ url: string; close(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), "hearth-bench-"));
  await build({
    root: process.cwd(),
    configFile: false,
    logLevel: "warn",
    publicDir: false,
    define: { __HEARTH_VERSION__: '"benchmark"' },
    // As the page's own worker is built.
    build: {
      target: "es2023",
      outDir: folder,
      emptyOutDir: false,
      reportCompressedSize: false,
      lib: { entry, formats: ["es"], fileName: () => "worker.js" },
    },
  });
  await writeFile(join(folder, "index.html"), "<!doctype html><title>Benchmark</title>");
  const server = await serveFolder(folder, 0);
  return {
    url: server.url,
    close: async () => {
      await server.close();
      await rm(folder, { recursive: true });
    },
  };
}
