import { type RefObject, useEffect, useRef } from "react";
import { roomName } from "../matrix/room-names.ts";
import { Avatar } from "../parts/avatar.tsx";
import { useTask } from "../parts/use-task.ts";
import { Direction, type Room } from "../sdk.ts";
import { useClient } from "../state/session-context.ts";

const pageSize = 40;

type TimelineStartProps = { room: Room; scroller: RefObject<HTMLElement | null>; version: number };

/** The upper end of the timeline: fetches what is older as it comes into view, or says that this is the beginning. */
export function TimelineStart({ room, scroller, version }: TimelineStartProps) {
  const client = useClient();
  const marker = useRef<HTMLLIElement>(null);
  const { busy, problem, run } = useTask();
  const hasOlder = room.getLiveTimeline().getPaginationToken(Direction.Backward) !== null;

  // biome-ignore lint/correctness/useExhaustiveDependencies: a new page moves the marker, so it is watched anew
  useEffect(() => {
    if (!hasOlder || busy || problem !== null || !marker.current) return;
    const watcher = new IntersectionObserver(
      ([entry]) => {
        if (entry?.isIntersecting) void run(() => client.scrollback(room, pageSize));
      },
      { root: scroller.current, rootMargin: "600px 0px 0px 0px" },
    );
    watcher.observe(marker.current);
    return () => watcher.disconnect();
  }, [client, room, scroller, run, hasOlder, busy, problem, version]);

  return (
    <li className="timeline-start" ref={marker}>
      {problem !== null ? (
        <p className="problem" role="alert">
          {problem}{" "}
          <button
            type="button"
            className="link"
            onClick={() => void run(() => client.scrollback(room, pageSize))}
          >
            Try again
          </button>
        </p>
      ) : hasOlder ? (
        <span className="timeline-loading">Older messages</span>
      ) : (
        <>
          <Avatar id={room.roomId} name={roomName(room)} size="large" square />
          <p>This is the beginning of {roomName(room)}.</p>
        </>
      )}
    </li>
  );
}
