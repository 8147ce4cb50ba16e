import { logger } from "matrix-js-sdk/lib/logger.js";

/**
 * matrix-js-sdk, without the globals its package entry sets. Only code that loads lazily may import this
 * module for its values, so that the page's first paint does not wait for it.
 */
export * from "matrix-js-sdk/lib/matrix.js";

// Parts of the SDK write to its global logger whatever logger a client has. It is one of loglevel's, which its
// type does not say.
(logger as unknown as { setLevel(level: "error", persist: boolean): void }).setLevel("error", false);
