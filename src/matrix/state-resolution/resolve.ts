import type { Ed25519 } from "../ed25519.ts";
import type { RoomVersionRules } from "../room-versions.ts";
import type { ResolutionSource, ResolvedEntry, StateSets } from "./api.ts";
import { resolveV1 } from "./v1.ts";
import { resolveV2 } from "./v2.ts";

/**
 * Resolves states of a room that differ into one, by the algorithm of the room's version. The result does not depend
 * on the order of the sets, nor on what numbers events have.
 * @param sets - at least one
 * @param ed25519 - to check third-party invites with, which is rare: any implementation comes to the same result
 * @returns the entries in which the resolved state is not simply `sets.unconflicted`, in no order
 * @see https://spec.matrix.org/v1.19/server-server-api/#room-state-resolution
 */
export async function resolveState(
  sets: StateSets,
  rules: RoomVersionRules,
  source: ResolutionSource,
  ed25519: Ed25519,
): Promise<ResolvedEntry[]> {
  if (sets.conflicted.length === 0) return [];
  switch (rules.stateResolution) {
    case "v1":
      return resolveV1(sets, rules, source, ed25519);
    case "v2":
    case "v2.1":
      return resolveV2(sets, rules, source, ed25519);
  }
}
