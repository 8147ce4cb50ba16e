import { useEffect, useMemo } from "react";
import type { Room } from "../sdk.ts";
import { useClient } from "../state/session-context.ts";

/** How long the homeserver takes one notice for true, and when it is renewed, in ms. */
const lifetime = 12_000;
const renewal = 6_000;

/** Tells the others in a room that somebody is writing, and when they stop. */
export function useTypingNotice(room: Room): { keepUp(): void; stop(): void } {
  const client = useClient();
  const notice = useMemo(() => {
    let toldAt = 0;
    const tell = (typing: boolean) => {
      // A notice that got lost is no harm: it ends by itself.
      client
        .sendTyping(room.roomId, typing, lifetime)
        .catch((error: unknown) => console.debug("typing notice lost", error));
    };
    return {
      keepUp() {
        if (Date.now() - toldAt < renewal) return;
        toldAt = Date.now();
        tell(true);
      },
      stop() {
        if (toldAt === 0) return;
        toldAt = 0;
        tell(false);
      },
    };
  }, [client, room]);
  useEffect(() => notice.stop, [notice]);
  return notice;
}
