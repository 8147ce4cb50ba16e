import type { Names } from "../../storage/api.ts";
import type { StoredEvent } from "../api.ts";
import type { SnapshotChain, SnapshotStore, StateChange } from "../snapshots.ts";

/** An event with what it takes to put it into a state. */
type Entry = Pick<StoredEvent, "nid" | "pdu">;

/**
 * A state that was told event by event, as what differs from one that is known. Of several events with the same type
 * and state key the last counts. It is not saved yet.
 */
export async function toldState(
  parts: { snapshots: SnapshotStore; names: Names },
  base: SnapshotChain,
  events: readonly Entry[],
): Promise<SnapshotChain> {
  const { names, snapshots } = parts;
  const entries = await Promise.all(
    events.map(async ({ nid, pdu }): Promise<StateChange> => {
      return [await names.intern(pdu.type), await names.intern(pdu.state_key ?? ""), nid];
    }),
  );
  const told = new Map(entries.map((entry) => [`${entry[0]} ${entry[1]}`, entry]));
  const changes = [...told.values()].filter(([type, key, nid]) => base.entry(type, key) !== nid);
  for (const [type, key] of base.pairs()) if (!told.has(`${type} ${key}`)) changes.push([type, key, 0]);
  return snapshots.derive(base, changes);
}
