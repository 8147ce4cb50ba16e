import { ConnectionError, EventStatus, type MatrixClient } from "../sdk.ts";

/**
 * Sends what could not be sent because nobody answered, in the order it was written. What the homeserver
 * refused stays with its author, who decides.
 */
export async function resendUnsent(client: MatrixClient): Promise<void> {
  for (const room of client.getRooms()) {
    for (const event of room.getPendingEvents()) {
      const unanswered = event.status === EventStatus.NOT_SENT && isConnectionError(event.error);
      if (unanswered) await client.resendEvent(event, room);
    }
  }
}

/** The SDK's type says that it is always a MatrixError, which it is not. */
function isConnectionError(error: unknown): boolean {
  return error instanceof ConnectionError;
}
