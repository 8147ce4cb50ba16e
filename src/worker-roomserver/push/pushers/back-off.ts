/** What a gateway has not taken in a day it need not get any more: nobody wants to be told of all that at once. */
export const GIVE_UP_AFTER_MS = 24 * 60 * 60_000;

const FIRST_MS = 1_000;
const LONGEST_MS = 60 * 60_000;

/**
 * How long to wait after so many failures: twice as long each time, up to an hour, and a random part of it less, lest
 * all pushers of a gateway that is back come at once.
 * @param failures - 1 and up
 * @param random - at least 0 and less than 1
 * @returns milliseconds
 */
export function backOffMs(failures: number, random: number): number {
  const longest = Math.min(FIRST_MS * 2 ** Math.min(failures - 1, 30), LONGEST_MS);
  return Math.round(longest * (1 - random / 2));
}
