import type { StoredEvent } from "../../api.ts";
import { eventsIn, type KnownRoom } from "./known-room.ts";
import type { GraphParts } from "./parts.ts";

/**
 * The events among these from which one can go on back: of an outlier it is not known who may see it, nor what came
 * before.
 */
export async function steps(
  parts: GraphParts,
  room: KnownRoom,
  eventIds: readonly string[],
): Promise<StoredEvent[]> {
  return (await eventsIn(parts, room, eventIds)).filter(({ isOutlier }) => !isOutlier);
}

/** Rejected events are passed by, but others do not get them from here. Soft-failed ones they do. */
export const isHandedOut = ({ status }: StoredEvent): boolean => status !== 1;
