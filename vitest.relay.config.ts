import { defineConfig } from "vitest/config";

/** The relay's own tests run where the relay does: in Deno. See scripts/test.mjs. */
const propertyRuns = Number(process.env.HEARTH_PROPERTY_RUNS ?? 100);

export default defineConfig({
  test: {
    name: "relay",
    provide: { propertyRuns },
    include: ["test/relay/**/*.test.ts"],
    setupFiles: ["test/setup/properties.ts"],
    testTimeout: 30_000 * Math.max(1, propertyRuns / 100),
  },
});
