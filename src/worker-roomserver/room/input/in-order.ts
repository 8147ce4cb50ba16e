import { authEventIds, prevEventIds } from "../../../matrix/event-format.ts";
import type { ReceivedEvent } from "../../../matrix/received-event.ts";

/** What an event names that has to be there before it. */
export type References = (event: Pick<ReceivedEvent, "pdu">) => readonly string[];

export const allReferences: References = ({ pdu }) => [...prevEventIds(pdu), ...authEventIds(pdu)];
export const authReferences: References = ({ pdu }) => authEventIds(pdu);

/**
 * The events so that each comes after those of them that it refers to, and otherwise as they came; one that is there
 * twice once. Events that refer to each other in a circle have no such order: theirs is any. Linear in the number of
 * events and references.
 */
export function inOrder(events: readonly ReceivedEvent[], references: References): ReceivedEvent[] {
  const byId = new Map<string, ReceivedEvent>(events.map((event) => [event.eventId, event]));
  const met = new Set<string>();
  const order: ReceivedEvent[] = [];
  for (const event of byId.values()) if (!met.has(event.eventId)) follow(event);
  return order;

  /** Depth first, without recursion: a chain may be as long as the list. */
  function follow(first: ReceivedEvent): void {
    const path = [enter(first)];
    for (let step = path.at(-1); step !== undefined; step = path.at(-1)) {
      const next = step.needed.pop();
      if (next === undefined) order.push(path.pop()!.event);
      else if (!met.has(next.eventId)) path.push(enter(next));
    }
  }

  function enter(event: ReceivedEvent): { event: ReceivedEvent; needed: ReceivedEvent[] } {
    met.add(event.eventId);
    const needed = references(event).map((id) => byId.get(id));
    return { event, needed: needed.filter((other) => other !== undefined).reverse() };
  }
}
