/**
 * An entry of a state as one text. Both parts may hold any character, NUL too: the length tells where one ends and the
 * other begins.
 */
export const entryKey = (type: string, stateKey: string): string => `${type.length} ${type}${stateKey}`;
