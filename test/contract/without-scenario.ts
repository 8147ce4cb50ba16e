import type { Route } from "./support/scenario.ts";

/** The endpoints that no scenario uses, and why. The list can only become shorter. */
export const withoutScenario: Readonly<Partial<Record<Route, string>>> = {};
