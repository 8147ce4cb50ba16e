import type { Write } from "../../storage/api.ts";
import type { EventNid, Nid } from "../../storage/schema.ts";
import type { SnapshotChain, SnapshotStore, StateChange } from "../snapshots.ts";

/** A state of a room: one that is stored, and what it takes to make this one of it. */
export class RoomState {
  readonly base: SnapshotChain;
  /** `[type, key, event]`; event 0: the entry is gone. */
  readonly changes: readonly StateChange[];

  constructor(base: SnapshotChain, changes: readonly StateChange[] = []) {
    this.base = base;
    this.changes = changes;
  }

  entry(type: Nid, key: Nid): EventNid | undefined {
    // There are few: a state that was resolved, or one more event.
    const change = this.changes.find((each) => each[0] === type && each[1] === key);
    if (change === undefined) return this.base.entry(type, key);
    return change[2] === 0 ? undefined : change[2];
  }

  /** The state as a snapshot, which is queued if there is none yet. */
  store(write: Write, snapshots: SnapshotStore): SnapshotChain {
    return this.changes.length === 0 ? this.base : snapshots.extend(write, this.base, this.changes);
  }
}
