import type { EventNid, ResolvableEvent } from "./api.ts";
import { compareByTime } from "./event-order.ts";
import { PriorityQueue } from "./priority-queue.ts";

/**
 * Selects the power events of the full conflicted set, with what of it they depend on, and puts them in reverse
 * topological power ordering.
 *
 * Both go by direct citations within the full conflicted set, as in Synapse. By the letter also an event counts
 * that a power event reaches only through events outside of it.
 *
 * @param full - the full conflicted set
 * @param levelOf - the power level of an event's sender, as the event's own `auth_events` have it
 * @see https://spec.matrix.org/v1.19/rooms/v2/#definitions
 */
export function reverseTopologicalPowerOrdering(
  full: ReadonlyMap<EventNid, ResolvableEvent>,
  levelOf: (event: ResolvableEvent) => number,
): ResolvableEvent[] {
  const nodes = new Map<EventNid, Node>();
  const stack = [...full.values()].filter(isPowerEvent);
  while (stack.length > 0) {
    const event = stack.pop()!;
    if (nodes.has(event.nid)) continue;
    const cites = event.authEvents.map((nid) => full.get(nid)).filter((cited) => cited !== undefined);
    nodes.set(event.nid, { event, level: levelOf(event), waitsFor: cites.length, citedBy: [] });
    stack.push(...cites);
  }

  // Kahn's algorithm, with a queue that knows which of the candidates is the smallest.
  const ready = new PriorityQueue<Node>(isBefore);
  for (const node of nodes.values()) {
    for (const nid of node.event.authEvents) nodes.get(nid)?.citedBy.push(node);
    if (node.waitsFor === 0) ready.push(node);
  }
  const ordered: ResolvableEvent[] = [];
  for (let node = ready.pop(); node !== undefined; node = ready.pop()) {
    ordered.push(node.event);
    for (const next of node.citedBy) {
      next.waitsFor -= 1;
      if (next.waitsFor === 0) ready.push(next);
    }
  }
  return ordered;
}

type Node = {
  readonly event: ResolvableEvent;
  readonly level: number;
  /** How many of the events that it cites are not in order yet. */
  waitsFor: number;
  readonly citedBy: Node[];
};

function isBefore(a: Node, b: Node): boolean {
  if (a.level !== b.level) return a.level > b.level;
  return compareByTime(a.event, b.event) < 0;
}

/**
 * Whether an event may take somebody's ability to do something. In Synapse, unlike the definition, the create event
 * is one, and power levels and join rules under another state key than "", which nothing reads, are none.
 */
function isPowerEvent({ pdu }: ResolvableEvent): boolean {
  switch (pdu.type) {
    case "m.room.create":
    case "m.room.power_levels":
    case "m.room.join_rules":
      return pdu.state_key === "";
    case "m.room.member": {
      const { membership } = pdu.content;
      return (membership === "leave" || membership === "ban") && pdu.sender !== pdu.state_key;
    }
    default:
      return false;
  }
}
