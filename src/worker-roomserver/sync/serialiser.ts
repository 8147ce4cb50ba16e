import type { Filter } from "../../matrix/filters.ts";
import type { JsonObject } from "../../matrix/json.ts";
import { parsePropertyPath, pickProperties } from "../../matrix/property-paths.ts";
import type { Requester } from "../node/requester.ts";
import type { RoomForReaders, StoredEvent } from "../room/api.ts";
import type { Membership } from "../storage/schema.ts";

/** @param membership - the requester's at the time of the event, for `unsigned.membership` of timeline events */
export type Serialise = (event: StoredEvent, membership?: Membership) => JsonObject;

/**
 * How events go to one device, as its filter wants them. In the `federation` format `event_id` and `unsigned` are
 * kept beside the raw event, as without them a client could do nothing with it.
 */
export function serialiser(rooms: RoomForReaders, to: Requester, filter: Filter): Serialise {
  const paths = filter.event_fields?.map(parsePropertyPath);
  return (event, membership) => {
    let json: JsonObject = rooms.clientEvent(event, to, "sync");
    if (membership !== undefined) (json.unsigned as JsonObject).membership = membership;
    if (filter.event_format === "federation") {
      json = { ...event.pdu, event_id: event.eventId, unsigned: json.unsigned };
    }
    return paths === undefined ? json : pickProperties(json, paths);
  };
}
