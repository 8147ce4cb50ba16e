import fc from "fast-check";
import { expect, test } from "vitest";
import { highestFirst } from "../../../src/matrix/state-resolution/priority-queue.ts";

test("whatever is put in and taken out in between, the highest is the first to come out", () => {
  const steps = fc.array(fc.option(fc.nat(50), { nil: undefined }), { maxLength: 100 });
  fc.assert(
    fc.property(steps, (numbers) => {
      const queue = highestFirst();
      const inside: number[] = [];
      // A gap takes one out; at the end all come out, and then nothing does.
      for (const number of [...numbers, ...numbers.map(() => undefined), undefined]) {
        if (number !== undefined) {
          queue.push(number);
          inside.push(number);
          inside.sort((a, b) => a - b);
        } else {
          expect(queue.first).toBe(inside.at(-1));
          expect(queue.pop()).toBe(inside.pop());
        }
        expect([...queue.items].sort((a, b) => a - b)).toEqual(inside);
      }
      expect(inside).toEqual([]);
    }),
  );
});
