import type { Filter } from "../../matrix/filters.ts";
import type { JsonObject } from "../../matrix/json.ts";
import { parsePropertyPath, pickProperties } from "../../matrix/property-paths.ts";
import type { Requester } from "../node/requester.ts";
import type { ClientEvent, RoomForReaders, StoredEvent } from "../room/api.ts";

type Serialise = (event: StoredEvent) => JsonObject;
/** @param ignored - users whose events are not summed up */
type SerialiseTimeline = (
  events: readonly StoredEvent[],
  ignored: ReadonlySet<string>,
) => Promise<JsonObject[]>;

export type Serialisers = { serialise: Serialise; serialiseTimeline: SerialiseTimeline };

/**
 * How events go to one device, as its filter wants them: state, and those of a timeline, whose `unsigned` says more. In
 * the `federation` format `event_id` and `unsigned` are kept beside the raw event, as without them a client could do
 * nothing with it.
 */
export function serialiser(rooms: RoomForReaders, to: Requester, filter: Filter): Serialisers {
  const paths = filter.event_fields?.map(parsePropertyPath);
  const formed = ({ pdu }: StoredEvent, event: ClientEvent): JsonObject => {
    const raw = filter.event_format === "federation";
    const json = raw ? { ...pdu, event_id: event.event_id, unsigned: event.unsigned } : event;
    return paths === undefined ? json : pickProperties(json, paths);
  };
  return {
    serialise: (event) => formed(event, rooms.clientEvent(event, to, "sync")),
    serialiseTimeline: async (events, ignored) => {
      const clientEvents = await rooms.clientEvents(events, to, { form: "sync", ignored });
      return clientEvents.map((event, i) => formed(events[i]!, event));
    },
  };
}
