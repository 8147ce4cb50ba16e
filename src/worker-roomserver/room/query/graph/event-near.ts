import { invalidParam } from "../../../../matrix/errors.ts";
import type { ReadTransaction } from "../../../storage/api.ts";
import { isNextToGap } from "../timeline.ts";
import type { NearEvent } from "./api.ts";
import { knownRoom } from "./known-room.ts";
import type { GraphParts } from "./parts.ts";

/** The event of the timeline whose time is nearest to a given one. */
export async function eventNear(
  parts: GraphParts,
  roomId: string,
  ts: number,
  dir: "f" | "b",
): Promise<NearEvent | undefined> {
  if (!Number.isFinite(ts)) throw invalidParam("ts must be a number of milliseconds since 1970.");
  const { nid } = await knownRoom(parts, roomId);
  const { events, storage } = parts;
  const range = dir === "f" ? IDBKeyRange.bound([nid, ts], [nid, []]) : IDBKeyRange.bound([nid], [nid, ts]);
  const row = await storage.read(["events"], async (tx: ReadTransaction) => {
    const cursor = await tx
      .objectStore("events")
      .index("time")
      .openCursor(range, dir === "f" ? "next" : "prev");
    return cursor?.value;
  });
  if (row === undefined) return undefined;
  const [event] = await events.fromRows([row]);
  if (event === undefined) return undefined;
  const { pdu, eventId } = event;
  return { eventId, ts: pdu.origin_server_ts, isNextToGap: await isNextToGap(parts, event) };
}
