import { useEffect, useReducer, useRef } from "react";
import type { Room } from "../sdk.ts";
import { useClient } from "../state/session-context.ts";

/**
 * Tells the homeserver how far the user has read: up to the newest event, while it is in view and somebody
 * looks at the page.
 * @param version - changes whenever the timeline does
 */
export function useReadMarker(room: Room, version: number, atBottom: boolean): void {
  const client = useClient();
  const [looks, look] = useReducer((count: number) => count + 1, 0);
  const sent = useRef<string | null>(null);

  useEffect(() => {
    window.addEventListener("focus", look);
    document.addEventListener("visibilitychange", look);
    return () => {
      window.removeEventListener("focus", look);
      document.removeEventListener("visibilitychange", look);
    };
  }, []);

  // biome-ignore lint/correctness/useExhaustiveDependencies: both counters say that it is time to look again
  useEffect(() => {
    if (!atBottom || document.visibilityState !== "visible" || !document.hasFocus()) return;
    const newest = room.getLiveTimeline().getEvents().at(-1);
    const id = newest?.getId();
    if (!newest || !id || id === sent.current) return;
    if (id === room.getEventReadUpTo(client.getSafeUserId(), true)) return;
    sent.current = id;
    client.sendReadReceipt(newest).catch((error: unknown) => {
      // The next event, or the next look at the page, tries again.
      sent.current = null;
      console.warn("the read receipt was not sent", error);
    });
  }, [client, room, version, atBottom, looks]);
}
