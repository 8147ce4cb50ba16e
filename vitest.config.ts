import { playwright } from "@vitest/browser-playwright";
import { defineConfig } from "vitest/config";
import { chromiumFlags, findChromium } from "./scripts/support/chromium.mjs";

/** How many examples a property gets; `npm run test:deep` raises it. */
const propertyRuns = Number(process.env.HEARTH_PROPERTY_RUNS ?? 100);
/** Against a hang alone: on a machine that is busy a property may well take ten seconds. */
const testTimeout = 30_000 * Math.max(1, propertyRuns / 100);

const setupFiles = ["test/setup/build-constants.ts", "test/setup/properties.ts"];
/** Rooms that servers pull about; a real database takes a hundred times as long to open as one in memory. */
const provide = { propertyRuns, roomRuns: propertyRuns };
const provideInTheBrowser = { propertyRuns, roomRuns: Math.ceil(propertyRuns / 20) };
const onlyInTheBrowser = "test/**/*.browser.test.{ts,tsx}";
/** These put other modules in the place of those that the rest of the tests use: each has a process of its own. */
const alone = ["test/worker-roomserver/room/cache-sizes.test.ts", "test/sw/relayed.test.ts"];
const federation = "test/worker-roomserver/federation";
/**
 * What is much work and asks nothing of the browser that other suites do not ask: whole homeservers that talk with one
 * another over a network of the test's own. In the browser they are there in the end-to-end tests.
 */
const notInTheBrowser = [
  `${federation}/{edus,gaps,guests,history,media,perform,policy,queries,remote-keys,rooms}/**`,
  "test/worker-roomserver/**/reference.test.ts",
];
const executablePath = findChromium();

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          provide,
          testTimeout,
          include: ["test/**/*.test.ts"],
          exclude: ["test/e2e/**", "test/interop/**", "test/relay/**", onlyInTheBrowser, ...alone],
          setupFiles: ["test/setup/indexeddb.ts", ...setupFiles],
          // Loading the modules anew for each of hundreds of files takes as long as the tests.
          isolate: false,
        },
      },
      {
        test: {
          name: "alone",
          provide,
          testTimeout,
          include: alone,
          setupFiles: ["test/setup/indexeddb.ts", ...setupFiles],
        },
      },
      {
        test: {
          // The component suites once more, over the IndexedDB and WebCrypto of a real browser.
          name: "browser",
          provide: provideInTheBrowser,
          testTimeout,
          include: ["test/worker-roomserver/**/*.test.ts", onlyInTheBrowser],
          exclude: notInTheBrowser,
          setupFiles,
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            provider: playwright({
              launchOptions: { args: chromiumFlags, ...(executablePath && { executablePath }) },
            }),
            instances: [{ browser: "chromium" }],
          },
        },
      },
      {
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          exclude: [],
          globalSetup: ["test/e2e/support/global-setup.ts"],
          testTimeout: 120_000,
          hookTimeout: 60_000,
          expect: { poll: { timeout: 20_000 } },
          // Each test file has browsers of its own: two at a time would slow each other past their limits.
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
