/**
 * How long a server is left alone that has not answered. Milliseconds.
 * @see https://spec.matrix.org/v1.19/server-server-api/#transactions
 */
export type BackOff = {
  /** After the first failure; twice as long after each further one. */
  first: number;
  most: number;
};

/**
 * Shorter than what servers in data centres have, of up to a week: nodes come and go with their people, and one that is
 * back should not have to wait for half a day more. What is asked of a server that is gone for good is four requests a day.
 */
export const usualBackOff: BackOff = { first: 60_000, most: 6 * 60 * 60_000 };

/**
 * @param failures - 1 and up
 * @param random - from 0 to 1: who failed together does not come back together
 */
export function backOffMs({ first, most }: BackOff, failures: number, random: number): number {
  return Math.round(Math.min(most, first * 2 ** (failures - 1)) * (0.8 + 0.4 * random));
}
