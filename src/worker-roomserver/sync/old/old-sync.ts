import { MatrixError, notFound } from "../../../matrix/errors.ts";
import type { OldSync } from "./api.ts";
import { EventStream } from "./event-stream.ts";
import { initialSync } from "./initial-sync.ts";
import type { OldSyncParts } from "./parts.ts";
import { roomInitialSync } from "./room-initial-sync.ts";

export function makeOldSync(parts: OldSyncParts): OldSync {
  const stream = new EventStream(parts);
  return {
    events: (requester, query, call) =>
      parts.users.whileLoggedIn(
        requester,
        () => stream.events(requester, query, call),
        () => stream.cancel(call),
      ),
    cancel: async (call) => stream.cancel(call),
    initialSync: (requester, query) => initialSync(parts, requester, query),
    roomInitialSync: (requester, roomId) => roomInitialSync(parts, requester, roomId),
    event: async (requester, eventId) => {
      const event = await parts.room.eventById(eventId);
      const missing = () => notFound("There is no such event, or you may not see it.");
      if (event === undefined) throw missing();
      return parts.room.event(requester, event.roomId, eventId).catch((error: unknown) => {
        // To be outside of the room is no other answer here than that there is no such event.
        throw error instanceof MatrixError && error.errcode === "M_FORBIDDEN" ? missing() : error;
      });
    },
  };
}
