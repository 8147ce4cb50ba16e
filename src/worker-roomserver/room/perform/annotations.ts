import { annotationOf } from "../../../matrix/annotations.ts";
import { MatrixError } from "../../../matrix/errors.ts";
import type { JsonObject } from "../../../matrix/json.ts";
import type { Nid } from "../../storage/schema.ts";
import type { RoomParts } from "../parts.ts";
import { relatedTo, restOf, type Stretch } from "../query/relation-rows.ts";

/** Relations of one event that are looked through, the newest; clients count what is doubled beyond that once, too. */
const SCANNED = 5_000;
const BATCH = 500;

type Parts = Pick<RoomParts, "storage" | "events" | "relatedTargets" | "annotationLocks">;

/** An event that somebody wants to send. */
export type Annotating = { room: Nid; sender: string; type: string; content: JsonObject };

/**
 * Sends an event, unless it annotates another one as its sender has before: twice the same at once is sent once. Costs
 * nothing for what is no annotation, or the first relation to its event; else at most 5,000 small rows, and the events
 * of these that are the sender's.
 * @param isKnown - whether it has been sent before, and is only asked for again
 * @throws MatrixError M_DUPLICATE_ANNOTATION (400)
 * @see https://spec.matrix.org/v1.19/client-server-api/#avoiding-duplicate-annotations
 */
export function sendAnnotation<T>(
  parts: Parts,
  event: Annotating,
  isKnown: () => Promise<boolean>,
  send: () => Promise<T>,
): Promise<T> {
  const annotation = annotationOf(event.content);
  if (annotation === undefined) return send();
  const { room, sender, type } = event;
  const identity = JSON.stringify([room, annotation.target, sender, type, annotation.key]);
  // Held until the event is on the disk, where the next one finds it.
  return parts.annotationLocks.run(identity, async () => {
    if (!(await isKnown()) && (await isDuplicate(parts, event, annotation))) {
      throw new MatrixError("M_DUPLICATE_ANNOTATION", 400, "You have annotated the event with this already.");
    }
    return send();
  });
}

async function isDuplicate(
  { storage, events, relatedTargets }: Parts,
  { room, sender, type }: Annotating,
  { target, key }: { target: string; key: string },
): Promise<boolean> {
  if ((await relatedTargets.among([{ room, eventId: target }])).length === 0) return false;
  let left: Stretch = { dir: "b", after: Number.NEGATIVE_INFINITY, upTo: Number.POSITIVE_INFINITY };
  for (let scanned = 0; scanned < SCANNED; scanned += BATCH) {
    const [page] = await relatedTo(storage, room, [target], left, BATCH);
    const same = page!.related.filter(
      (one) => one.relType === "m.annotation" && one.eventType === type && one.sender === sender,
    );
    const annotations = await events.get(same.map(({ nid }) => nid));
    if (
      annotations.some(({ pdu, redactedBy }) => redactedBy === "" && annotationOf(pdu.content)?.key === key)
    )
      return true;
    if (page!.rest === undefined) return false;
    left = restOf(left, page!.rest);
  }
  return false;
}
