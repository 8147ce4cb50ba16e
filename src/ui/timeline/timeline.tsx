import { useMemo, useRef, useState } from "react";
import { namesIn } from "../matrix/room-names.ts";
import { roomReceipts } from "../matrix/room-receipts.ts";
import { roomEvents, viewEvent } from "../matrix/view-event.ts";
import { groupTimeline } from "../model/group-timeline.ts";
import type { TimelineEvent } from "../model/timeline-event.ts";
import { dayLabel } from "../model/times.ts";
import { IconButton } from "../parts/icon-button.tsx";
import { type Room, RoomEvent, RoomStateEvent } from "../sdk.ts";
import { useClient } from "../state/session-context.ts";
import { useEvents } from "../state/use-events.ts";
import "../styles/timeline.css";
import { ChangeLines } from "./change-lines.tsx";
import { DeleteDialog } from "./delete-dialog.tsx";
import { MessageGroup } from "./message-group.tsx";
import { TimelineStart } from "./timeline-start.tsx";
import { useMessageActions } from "./use-message-actions.ts";
import { useReadMarker } from "./use-read-marker.ts";
import { useScrollAnchor } from "./use-scroll-anchor.ts";

const timelineEvents = [
  RoomEvent.Timeline,
  RoomEvent.TimelineReset,
  RoomEvent.LocalEchoUpdated,
  RoomEvent.Redaction,
  RoomEvent.RedactionCancelled,
  RoomEvent.Receipt,
  RoomStateEvent.Members,
];

type TimelineProps = { room: Room; onReply(event: TimelineEvent): void };

export function Timeline({ room, onReply }: TimelineProps) {
  const client = useClient();
  const version = useEvents(room, timelineEvents);
  const scroller = useRef<HTMLDivElement>(null);
  const { atBottom, jumpToBottom } = useScrollAnchor(scroller);
  const [deleting, setDeleting] = useState<TimelineEvent | null>(null);
  const actions = useMessageActions(room, onReply, setDeleting);
  useReadMarker(room, version, atBottom);

  const me = client.getSafeUserId();
  const nameOf = useMemo(() => namesIn(room), [room]);
  const events = roomEvents(room).map(viewEvent);
  const byId = new Map(events.map((event) => [event.id, event]));
  const receipts = roomReceipts(room, me);
  const now = Date.now();

  return (
    <div className="timeline">
      <div className="timeline-scroller" ref={scroller}>
        <ol className="timeline-content" role="log" aria-label="Messages">
          <TimelineStart room={room} scroller={scroller} version={version} />
          {groupTimeline(events).map((item) => {
            if (item.kind === "day") return <Day key={item.key} label={dayLabel(item.ts, now)} />;
            if (item.kind === "changes") {
              return <ChangeLines key={item.key} events={item.events} nameOf={nameOf} receipts={receipts} />;
            }
            return (
              <MessageGroup
                key={item.key}
                sender={item.sender}
                own={item.sender === me}
                events={item.events}
                nameOf={nameOf}
                answered={(id) => byId.get(id)}
                receipts={receipts}
                actions={actions}
              />
            );
          })}
        </ol>
      </div>
      {!atBottom && (
        <div className="timeline-jump">
          <IconButton
            icon="down"
            label="Jump to the newest message"
            onPress={jumpToBottom}
            data-testid="jump-to-newest"
          />
        </div>
      )}
      {deleting && <DeleteDialog room={room} event={deleting} onClose={() => setDeleting(null)} />}
    </div>
  );
}

function Day({ label }: { label: string }) {
  return (
    <li className="day" data-row>
      <span>{label}</span>
    </li>
  );
}
