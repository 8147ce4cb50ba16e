import type { Names } from "../../storage/api.ts";
import type { EventNid } from "../../storage/schema.ts";
import type { StoredEvent } from "../api.ts";
import type { EventStore } from "../event-store.ts";
import type { SnapshotChain } from "../snapshots.ts";

/** An entry of a state, as others are judged by it. */
export type StateEntry = Pick<StoredEvent, "nid" | "eventId" | "pdu" | "status" | "authPdu">;

/** Finds entries of a state, in the order asked for. */
export type StateLookup = (
  keys: readonly (readonly [type: string, stateKey: string])[],
) => Promise<(StateEntry | undefined)[]>;

/**
 * Looks into a state. Costs nothing for what is in memory, else two names and an event for each entry.
 * @param fresh - events in it that no store knows yet
 */
export function lookupIn(
  parts: { names: Names; events: EventStore },
  state: SnapshotChain,
  fresh: ReadonlyMap<EventNid, StateEntry> = new Map(),
): StateLookup {
  const { names, events } = parts;
  return async (keys) => {
    const nids = await Promise.all(
      keys.map(async ([type, stateKey]) => {
        const [typeNid, keyNid] = await Promise.all([names.find(type), names.find(stateKey)]);
        return typeNid && keyNid ? state.entry(typeNid, keyNid) : undefined;
      }),
    );
    const stored = nids.filter((nid) => nid !== undefined && !fresh.has(nid)) as EventNid[];
    const found = await events.get(stored);
    const byNid = new Map<EventNid, StateEntry>(found.map((event) => [event.nid, event]));
    return nids.map((nid) => (nid === undefined ? undefined : (byNid.get(nid) ?? fresh.get(nid))));
  };
}
