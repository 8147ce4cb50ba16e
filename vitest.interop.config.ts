import { defineConfig } from "vitest/config";

/** The tests with a real Synapse, without which they are skipped. See scripts/test-interop.mjs. */
export default defineConfig({
  test: {
    name: "interop",
    include: ["test/interop/**/*.test.ts"],
    // Each file starts a Synapse, a relay and a browser of its own.
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
