import { describe, expect, test } from "vitest";
import { needsInstall } from "../../scripts/support/dependencies.mjs";
import { nodeVersionProblem } from "../../scripts/support/node-version.mjs";

describe("the Node version", () => {
  test.each<[version: string, fits: boolean]>([
    ["20.19.0", true],
    ["20.18.3", false],
    ["22.13.0", true],
    ["22.12.9", false],
    ["24.0.0", true],
    ["23.11.0", false],
    ["18.20.8", false],
    ["26.1.0", true],
  ])("%s: %s", (version, fits) => {
    const problem = nodeVersionProblem(version);
    if (fits) expect(problem).toBeUndefined();
    else expect(problem).toContain(version);
  });
});

describe("npm packages", () => {
  const locked = {
    "": { version: "0.1.0" },
    "node_modules/a": { version: "1.0.0" },
    "node_modules/b-darwin": { version: "2.0.0", optional: true },
  };

  test.each<
    [
      what: string,
      installed: typeof locked | Record<string, { version: string }> | undefined,
      wanted: boolean,
    ]
  >([
    ["were never installed", undefined, true],
    ["are all there", { "node_modules/a": { version: "1.0.0" } }, false],
    ["lack one", { "node_modules/b-darwin": { version: "2.0.0" } }, true],
    ["have another version", { "node_modules/a": { version: "1.0.1" } }, true],
    ["have the optional one, too", locked, false],
  ])("%s", (_, installed, wanted) => expect(needsInstall(installed, locked)).toBe(wanted));
});
