import { randomInt } from "node:crypto";

/** Numbers that come out the same for the same seed. */
export type Random = {
  readonly seed: number;
  /** A whole number from `least` to `most`, both included. */
  between(least: number, most: number): number;
  /** The same items in another order. */
  shuffled<T>(items: readonly T[]): T[];
};

/** @param seed - by default HEARTH_SEED, else another one each time */
export function seededRandom(seed = Number(process.env.HEARTH_SEED ?? randomInt(2 ** 31))): Random {
  let state = seed >>> 0;
  // mulberry32: 32 bits of state are plenty for a plan of a few hundred steps.
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const between = (least: number, most: number) => least + Math.floor(next() * (most - least + 1));
  return {
    seed,
    between,
    shuffled(items) {
      const result = [...items];
      for (let last = result.length - 1; last > 0; last--) {
        const other = between(0, last);
        [result[last], result[other]] = [result[other]!, result[last]!];
      }
      return result;
    },
  };
}
