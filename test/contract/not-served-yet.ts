/** What the reasons are, each for the operations that wait for the same. */
const waiting: Readonly<Record<string, readonly string[]>> = {};

/** The operations that this homeserver does not serve, by their ids, and why. The list can only become shorter. */
export const notServedYet: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(waiting).flatMap(([reason, operations]) =>
    operations.map((operation) => [operation, reason]),
  ),
);
