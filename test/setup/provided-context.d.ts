import "vitest";

/** What vitest.config.ts and the global setups hand to the tests: `inject("...")`. */
declare module "vitest" {
  interface ProvidedContext {
    /** How many examples each property is tried on. */
    propertyRuns: number;
    /** How many generated rooms a room server is tried on, or a multiple of that. */
    roomRuns: number;
    /** Where the built page is served for a whole end-to-end run; ends in a slash. */
    distUrl: string;
  }
}
