import { expect, test } from "vitest";
import { machinePaths } from "../../scripts/support/machine-paths.mjs";

/** Put together here, so that the check does not find its own examples. */
const path = (...names: string[]) => ["", ...names].join("/");

test.each<[text: string, found: boolean]>([
  [`see ${path("home", "alice", "hearth")}`, true],
  ["see /home/ and the room list", false],
  [`cd ${path("root", "x")}`, true],
  ["the root/x of the tree", false],
  [`"${path("tmp", "out", "log.txt")}"`, true],
  ["a file in /tmp", false],
  [`import "${path("work", "main")}"`, true],
  ["https://example.org/work/main", false],
  [["C:", "Users", "alice"].join("\\"), true],
])("%s: %s", (text, found) => expect(machinePaths(text).length > 0).toBe(found));

test("tells the line", () => {
  expect(machinePaths(`one\ntwo ${path("root", "x")}\nthree`)).toEqual([
    { line: 2, text: `two ${path("root", "x")}` },
  ]);
});
