import { useEffect, useState } from "react";
import { Composer } from "../composer/composer.tsx";
import { powerIn } from "../matrix/power-in.ts";
import { MembersPanel } from "../members/members-panel.tsx";
import { maySend } from "../model/power.ts";
import type { TimelineEvent } from "../model/timeline-event.ts";
import { EventType, type Room, RoomStateEvent } from "../sdk.ts";
import { useClient } from "../state/session-context.ts";
import { useEvents } from "../state/use-events.ts";
import { Timeline } from "../timeline/timeline.tsx";
import { TypingLine } from "../timeline/typing-line.tsx";
import { RoomHeader } from "./room-header.tsx";

const powerEvents = [RoomStateEvent.Events];

/** A room from inside: what was said, what one says, and who else is there. */
export function RoomView({ room }: { room: Room }) {
  const client = useClient();
  const [showsMembers, setShowsMembers] = useState(false);
  const [replyTo, setReplyTo] = useState<TimelineEvent | null>(null);
  useEvents(room, powerEvents);
  // With lazy loading, those who never wrote are unknown until asked for; typing and receipts need them.
  useEffect(() => {
    room.loadMembersIfNeeded().catch((error: unknown) => console.warn("members could not be loaded", error));
  }, [room]);
  const mayWrite = maySend(powerIn(room), client.getSafeUserId(), EventType.RoomMessage, false);
  return (
    <>
      <main className="room" data-testid="room" data-room-id={room.roomId}>
        <RoomHeader
          room={room}
          showsMembers={showsMembers}
          onMembers={() => setShowsMembers(!showsMembers)}
        />
        <Timeline room={room} onReply={setReplyTo} />
        <TypingLine room={room} />
        {mayWrite ? (
          <Composer room={room} replyTo={replyTo} onReplyDone={() => setReplyTo(null)} />
        ) : (
          <p className="composer-closed">You may read here, but not write.</p>
        )}
      </main>
      {showsMembers && <MembersPanel room={room} onClose={() => setShowsMembers(false)} />}
    </>
  );
}
