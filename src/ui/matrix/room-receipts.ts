import { isMessage } from "../model/group-timeline.ts";
import { receiptsByKey } from "../model/receipts.ts";
import { stateText } from "../model/state-text.ts";
import { KnownMembership, type Room } from "../sdk.ts";
import { namesIn } from "./room-names.ts";
import { roomEvents, viewEvent } from "./view-event.ts";

/** Who else in the room has read how far: user ids by the key of the event that shows them. */
export function roomReceipts(room: Room, me: string): Map<string, string[]> {
  const nameOf = namesIn(room);
  return receiptsByKey(
    roomEvents(room).map((event) => {
      const view = viewEvent(event);
      return {
        key: view.key,
        sender: view.sender,
        shown: isMessage(view) || (view.stateKey !== undefined && stateText(view, nameOf) !== null),
        readers: room
          .getUsersReadUpTo(event)
          .filter((userId) => userId !== me && room.getMember(userId)?.membership === KnownMembership.Join),
      };
    }),
  );
}
