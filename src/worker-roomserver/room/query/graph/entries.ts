import type { EventNid, Nid } from "../../../storage/schema.ts";
import type { SnapshotChain } from "../../snapshots.ts";
import type { StatePattern } from "./api.ts";
import type { GraphParts } from "./parts.ts";

/**
 * Entries of a state, each once. Goes through the whole state if a pattern names a type alone, and looks the entries up
 * else.
 */
export async function entriesOf(
  { storage }: GraphParts,
  state: SnapshotChain,
  patterns: readonly StatePattern[],
): Promise<EventNid[]> {
  const { names } = storage;
  const wholeTypes = new Set<Nid | undefined>();
  const found = new Set<EventNid>();
  await Promise.all(
    patterns.map(async ([type, stateKey]) => {
      const typeNid = await names.find(type);
      if (stateKey === undefined) {
        wholeTypes.add(typeNid);
        return;
      }
      const keyNid = await names.find(stateKey);
      const nid = typeNid && keyNid ? state.entry(typeNid, keyNid) : undefined;
      if (nid !== undefined) found.add(nid);
    }),
  );
  if (wholeTypes.size > 0) for (const nid of state.entries((type) => wholeTypes.has(type))) found.add(nid);
  return [...found];
}
