import type { Names } from "../../storage/api.ts";
import type { EventNid } from "../../storage/schema.ts";
import type { StoredEvent } from "../api.ts";
import type { EventStore } from "../event-store.ts";
import type { RoomHead } from "../room-head.ts";
import type { Advance, StateTurn } from "../room-unit.ts";
import type { SnapshotChain, SnapshotStore } from "../snapshots.ts";
import type { FreshEvent, StateResolver } from "../state/resolver.ts";

type Parts = { names: Names; events: EventStore; snapshots: SnapshotStore; resolver: StateResolver };

/** The forward extremities that events are built upon: themselves, or what those are that no timeline has. */
export function extremitiesBelow(previous: readonly StoredEvent[]): ReadonlySet<EventNid> {
  return new Set(previous.flatMap((event) => (event.status === 0 ? [event.nid] : [...event.extremities])));
}

/**
 * Where a room stands once an accepted event has come: what that is built upon is no extremity any more, and the
 * current state is resolved from the states after those that are left.
 */
export async function advance(
  parts: Parts,
  head: RoomHead,
  event: FreshEvent,
  { after, below }: { after: SnapshotChain; below: ReadonlySet<EventNid> },
): Promise<Advance> {
  const left = head.extremities.filter(({ nid }) => !below.has(nid));
  const states = await Promise.all(left.map(({ stateAfter }) => parts.snapshots.chain(stateAfter)));
  const current = await parts.resolver.resolve(head, [after, ...states], event);
  const { nid, eventId, pdu } = event;
  return {
    current,
    extremities: [...left, { nid, eventId, pdu, stateAfter: after.nid }],
    turns: await stateTurns(parts, head.current, current, nid),
  };
}

/** What one state has in place of another, but for the event that has just come. */
export async function stateTurns(
  { names, events }: Pick<Parts, "names" | "events">,
  from: SnapshotChain,
  to: SnapshotChain,
  except: EventNid,
): Promise<StateTurn[]> {
  const pairs = [...to.differences(from)].filter(([type, key]) => to.entry(type, key) !== except);
  return Promise.all(
    pairs.map(async ([type, key]) => {
      const [now, before] = [to.entry(type, key), from.entry(type, key)];
      return {
        type: await names.text(type),
        stateKey: await names.text(key),
        key,
        event: now === undefined ? undefined : await events.getOne(now),
        former: before === undefined ? undefined : await events.getOne(before),
      };
    }),
  );
}
