import { isEventId } from "../../../matrix/identifiers.ts";
import { isJsonObject } from "../../../matrix/json.ts";
import type { RemoteQuestions } from "../../room/questions/api.ts";
import type { FederationContext } from "../context.ts";
import { askSome } from "./ask-some.ts";

/**
 * Takes in an old event of a room, with the state before it, so that it can be gone on from.
 * @returns whether it is in the room's timeline here
 */
export type TakeInOld = (roomId: string, eventId: string, server: string) => Promise<boolean>;

const MAX_BYTES = 64 * 1024;

/** @see RemoteQuestions.eventNear */
export function remoteEvents(
  context: Pick<FederationContext, "client" | "now" | "serverName" | "roomQueries">,
  takeIn: TakeInOld,
): RemoteQuestions["eventNear"] {
  return async (roomId, { ts, dir }) => {
    const servers = await context.roomQueries.serversIn(roomId);
    const uri = `/_matrix/federation/v1/timestamp_to_event/${encodeURIComponent(roomId)}?ts=${ts}&dir=${dir}`;
    const told = await askSome(
      context,
      servers,
      { method: "GET", uri, maxBytes: MAX_BYTES },
      (json, server) => {
        if (!isJsonObject(json) || !isEventId(json.event_id)) return undefined;
        const { event_id, origin_server_ts: at } = json;
        if (typeof at !== "number" || !Number.isSafeInteger(at)) return undefined;
        // On the other side of the time, it is no answer.
        return (dir === "f" ? at >= ts : at <= ts) ? { event_id, server } : undefined;
      },
    );
    if (told === undefined || !(await takeIn(roomId, told.event_id, told.server))) return undefined;
    // Its time is what it says itself, not what was told of it.
    const [event] = await context.roomQueries.eventsById([told.event_id]);
    if (event?.roomId !== roomId || event.order === 0) return undefined;
    const time = event.pdu.origin_server_ts;
    return (dir === "f" ? time >= ts : time <= ts) ? told.event_id : undefined;
  };
}
