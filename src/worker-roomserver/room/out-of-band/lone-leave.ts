import { unknown } from "../../../matrix/errors.ts";
import type { Pdu } from "../../../matrix/pdu.ts";
import type { ReceivedEvent } from "../../../matrix/received-event.ts";
import { roomVersionRules } from "../../../matrix/room-versions.ts";
import { finishEvent } from "../../../matrix/signing.ts";
import { type Author, newEventId } from "../plan.ts";

/**
 * The leave of a user whose invite or knock no other server would end: for their own clients, which are shown an event
 * for it. It refers to nothing, and never leaves this server.
 */
export async function loneLeave({
  roomVersion,
  waiting,
  author: { serverName, key },
  now,
}: {
  roomVersion: string;
  /** The invite or the knock. */
  waiting: Pdu;
  author: Pick<Author, "serverName" | "key">;
  /** Milliseconds since 1970. */
  now: number;
}): Promise<ReceivedEvent> {
  const rules = roomVersionRules(roomVersion);
  if (rules === undefined) throw unknown(`The room has the version ${roomVersion}, which is not known here.`);
  const userId = waiting.state_key ?? "";
  const draft = {
    ...{ type: "m.room.member", sender: userId, state_key: userId, content: { membership: "leave" } },
    ...(waiting.room_id !== undefined && { room_id: waiting.room_id }),
    ...(rules.eventIdFormat === "domain" && { event_id: newEventId(serverName) }),
    ...{ origin_server_ts: now, depth: waiting.depth, prev_events: [], auth_events: [] },
  };
  return finishEvent(draft, rules, serverName, key);
}
