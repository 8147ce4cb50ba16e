import fc from "fast-check";
import { inject } from "vitest";

// The amount is set in one place, so that a run stays short and a deep run is one variable away.
fc.configureGlobal({ numRuns: inject("propertyRuns") });
