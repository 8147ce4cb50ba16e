import { domainOf } from "../../../matrix/domain.ts";
import type { Pdu } from "../../../matrix/pdu.ts";
import { roomVersionRules } from "../../../matrix/room-versions.ts";
import type { StoredEvent } from "../../room/api.ts";
import type { RoomQueries } from "../../room/query/graph/api.ts";

/**
 * What a server gets of a room that it has missed a lot of: the newest events that it may see, whoever sent them, so that
 * it asks for what lies before those alone. All servers that do so send the same ones. Otherwise (where it is not in the
 * room any more, as after its own kick) the newest event from here.
 * @param own - that one
 */
export async function newestEvents(
  queries: Pick<RoomQueries, "latest" | "serversIn" | "visibleToServer">,
  server: string,
  own: StoredEvent,
): Promise<Pdu[]> {
  const { roomId } = own;
  const { extremities, roomVersion } = await queries.latest(roomId, []);
  const ids = extremities.map(({ eventId }) => eventId);
  // What others wrote in the oldest room versions may hold numbers that would not be written as they were.
  const isExact = roomVersionRules(roomVersion)?.strictCanonicalJson === true;
  if (ids.includes(own.eventId) || !isExact) return [own.pdu];
  if (!(await queries.serversIn(roomId)).includes(server)) return [own.pdu];
  const views = await queries.visibleToServer(roomId, server, ids);
  const shown = views.filter(({ isVisible, event }) => isVisible && domainOf(event.pdu.sender) !== server);
  return shown.length === 0 ? [own.pdu] : shown.map(({ event }) => event.pdu);
}
