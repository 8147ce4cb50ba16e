import { afterEach } from "vitest";

const steps: (() => unknown)[] = [];

/** Does this when the test is over, last one first. */
export function atTheEnd(step: () => unknown): void {
  steps.push(step);
}

afterEach(async () => {
  for (const step of steps.splice(0).reverse()) await step();
});
