/** The operations that this homeserver does not serve, and why. The list can only become shorter. */
export const notServedYet: Readonly<Record<string, string>> = {};
