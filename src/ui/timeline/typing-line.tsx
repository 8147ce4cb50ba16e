import { useCallback } from "react";
import { namesIn } from "../matrix/room-names.ts";
import { typingWords } from "../model/typing.ts";
import { type Room, type RoomMember, RoomMemberEvent } from "../sdk.ts";
import { useClient } from "../state/session-context.ts";
import { useEvents } from "../state/use-events.ts";

const typingEvents = [RoomMemberEvent.Typing];

export function TypingLine({ room }: { room: Room }) {
  const client = useClient();
  const concerns = useCallback(
    (_event: unknown, member: unknown) => (member as RoomMember).roomId === room.roomId,
    [room],
  );
  useEvents(client, typingEvents, concerns);
  const nameOf = namesIn(room);
  const typing = room.getMembers().filter((member) => member.typing && member.userId !== client.getUserId());
  const words = typingWords(typing.map((member) => nameOf(member.userId)));
  return (
    <p className="typing" aria-live="polite" data-testid="typing">
      {words !== "" && (
        <>
          <span className="typing-dots" aria-hidden="true">
            <i />
            <i />
            <i />
          </span>
          {words}
        </>
      )}
    </p>
  );
}
