import { MatrixError } from "../../matrix/errors.ts";
import { type ReceivedEvent, readReceivedEvent } from "../../matrix/received-event.ts";
import type { KnownRoom } from "./known-rooms.ts";

/** Events as another server has sent them, each once; what has no form is left out. */
export function readEvents(texts: readonly string[], { rules }: KnownRoom): ReceivedEvent[] {
  const events = new Map<string, ReceivedEvent>();
  for (const text of texts) {
    try {
      const event = readReceivedEvent(text, rules);
      events.set(event.eventId, event);
    } catch (error) {
      if (!(error instanceof MatrixError)) throw error;
    }
  }
  return [...events.values()];
}
