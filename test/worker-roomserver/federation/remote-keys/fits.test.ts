import { expect, test } from "vitest";
import { fitOf } from "../../../../src/worker-roomserver/federation/remote-keys/fits.ts";

const taken =
  (...ids: number[]) =>
  (id: number) =>
    ids.includes(id);

test.each<[string, number | undefined, number, number[], number[], ReturnType<typeof fitOf>]>([
  ["what comes next", 5, 6, [5], [], "next"],
  ["what comes next, with numbers left out", 5, 90, [5], [], "next"],
  ["what follows two that are known", 5, 6, [4, 5], [4], "next"],
  ["what is known", 5, 5, [4], [], "known"],
  ["what was taken in before", 5, 4, [3], [4], "known"],
  ["what follows something that is not known", 5, 7, [6], [], "gap"],
  ["what follows something beside what is known", 5, 7, [5, 6], [], "gap"],
  ["what follows what came before what is known", 5, 7, [4], [4], "gap"],
  ["what says of nothing that it follows it", 5, 6, [], [], "gap"],
  ["what is older and was never seen", 5, 3, [2], [], "gap"],
  ["anything where it is not known what is known", undefined, 3, [2], [], "gap"],
])("%s", (_, known, streamId, previous, seen, fit) => {
  expect(fitOf(known, { streamId, previous }, taken(...seen))).toBe(fit);
});
