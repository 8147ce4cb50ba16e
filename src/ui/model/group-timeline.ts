import type { TimelineEvent } from "./timeline-event.ts";
import { isSameDay } from "./times.ts";

/** What stands one below the other in a timeline. */
export type TimelineItem =
  | { kind: "day"; key: string; ts: number }
  | { kind: "messages"; key: string; sender: string; events: TimelineEvent[] }
  | { kind: "changes"; key: string; events: TimelineEvent[] };

/** Messages of one sender stand together while no more than this lies between two of them. */
const groupGap = 5 * 60 * 1000;

export function isMessage(event: TimelineEvent): boolean {
  return (
    event.stateKey === undefined && (event.type === "m.room.message" || event.type === "m.room.encrypted")
  );
}

/**
 * Puts a room's events, oldest first, into days and groups. State changes that follow one another share a
 * group as well. Events that are neither messages nor state have no place and are left out.
 */
export function groupTimeline(events: readonly TimelineEvent[]): TimelineItem[] {
  const items: TimelineItem[] = [];
  let previous: TimelineEvent | undefined;
  for (const event of events) {
    const kind = isMessage(event) ? "messages" : event.stateKey === undefined ? null : "changes";
    if (kind === null) continue;
    const newDay = previous === undefined || !isSameDay(previous.ts, event.ts);
    if (newDay) items.push({ kind: "day", key: `day ${event.key}`, ts: event.ts });
    const last = items[items.length - 1];
    if (last?.kind === "messages" && kind === "messages" && previous && belongTogether(previous, event)) {
      last.events.push(event);
    } else if (last?.kind === "changes" && kind === "changes") {
      last.events.push(event);
    } else if (kind === "messages") {
      items.push({ kind, key: event.key, sender: event.sender, events: [event] });
    } else {
      items.push({ kind, key: event.key, events: [event] });
    }
    previous = event;
  }
  return items;
}

function belongTogether(previous: TimelineEvent, event: TimelineEvent): boolean {
  return previous.sender === event.sender && Math.abs(event.ts - previous.ts) <= groupGap;
}
