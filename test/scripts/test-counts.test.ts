import { describe, expect, test } from "vitest";
import { closingLine, countTests } from "../../scripts/support/test-counts.mjs";

function file(status: string, ...tests: string[]) {
  return { status, assertionResults: tests.map((each) => ({ status: each })) };
}

describe("counting tests", () => {
  test("sums up over files and projects", () => {
    const report = {
      testResults: [file("passed", "passed", "skipped"), file("failed", "failed", "passed", "todo")],
    };
    expect(countTests(report)).toEqual({ passed: 2, failed: 1, skipped: 2 });
  });

  test("a file that did not load is a failure, though none of its tests is", () => {
    expect(countTests({ testResults: [file("failed"), file("passed", "passed")] })).toMatchObject({
      failed: 1,
    });
    expect(countTests({ testResults: [file("passed"), file("passed", "passed")] })).toMatchObject({
      failed: 0,
    });
  });
});

describe("the closing line", () => {
  test.each([
    [{ passed: 12, failed: 0, skipped: 0 }, "12 passed, 0 failed"],
    [{ passed: 12, failed: 3, skipped: 1 }, "12 passed, 3 failed, 1 skipped"],
  ])("%o", (counts, line) => expect(closingLine(counts)).toBe(line));
});
