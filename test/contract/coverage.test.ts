import { expect, test } from "vitest";
import { coverageDocument, coverageInShort } from "./coverage.ts";
import { howToGetIt } from "./spec/location.ts";
import { loadSpec } from "./spec/operations.ts";

const spec = loadSpec();

if (spec === undefined) {
  console.log(`hearth: table of coverage: ${howToGetIt}`);
  test.skip("the table of coverage, for want of the specification's data", () => undefined);
} else {
  test("docs/api-coverage.md is what `npm run api-coverage` writes", async () => {
    console.log(`hearth: the client-server API of the specification\n\n${coverageInShort(spec.operations)}`);
    await expect(coverageDocument(spec.operations)).toMatchFileSnapshot("../../docs/api-coverage.md");
  });
}
