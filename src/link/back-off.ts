/** In milliseconds. A relay that restarts is back within seconds; one that is gone is asked every five minutes. */
const first = 500;
const longest = 5 * 60_000;

/**
 * How long to wait after so many failures in a row: twice as long each time, and each node a little differently, so
 * that a thousand nodes do not come back to a relay in the same moment.
 * @param failures - 1 or more
 * @param random - from 0 up to 1
 */
export function backOff(failures: number, random: number): number {
  const most = Math.min(longest, first * 2 ** Math.min(failures - 1, 30));
  return Math.round(most * (0.5 + random / 2));
}
