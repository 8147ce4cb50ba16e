import { type Annotation, annotationOf } from "../../../matrix/annotations.ts";
import { MatrixError } from "../../../matrix/errors.ts";
import type { Requester } from "../../node/requester.ts";
import type { Nid } from "../../storage/schema.ts";
import type { RoomParts } from "../parts.ts";
import { relatedTo, restOf, type Stretch } from "../query/relation-rows.ts";

/** Relations of one event that are looked through, the newest; clients count what is doubled beyond that once, too. */
const SCANNED = 5_000;
const BATCH = 500;

type Parts = Pick<RoomParts, "storage" | "events" | "relatedTargets" | "annotationLocks" | "transactions">;

/** What makes two annotations the same. */
type Identity = Annotation & { room: Nid; sender: string; type: string };

/**
 * Sends an annotation, unless its sender has sent the same before: twice the same at once is sent once. Costs nothing
 * for the first relation to an event; else at most 5,000 small rows, and the events of these that are the sender's.
 * @param annotating.transaction - by which it is known to have been sent already, and is only asked for again
 * @throws MatrixError M_DUPLICATE_ANNOTATION (400)
 * @see https://spec.matrix.org/v1.19/client-server-api/#avoiding-duplicate-annotations
 */
export function sendAnnotation<T>(
  parts: Parts,
  { userId, deviceId }: Requester,
  annotating: { room: Nid; type: string; annotation: Annotation; transaction: string },
  send: () => Promise<T>,
): Promise<T> {
  const { room, type, annotation, transaction } = annotating;
  const identity: Identity = { room, sender: userId, type, ...annotation };
  // Held until the event is on the disk, where the next one finds it.
  return parts.annotationLocks.run(JSON.stringify(Object.values(identity)), async () => {
    const isNew = (await parts.transactions.find(userId, deviceId, transaction)) === undefined;
    if (isNew && (await isThere(parts, identity))) {
      throw new MatrixError("M_DUPLICATE_ANNOTATION", 400, "You have annotated the event with this already.");
    }
    return send();
  });
}

async function isThere(
  { storage, events, relatedTargets }: Parts,
  { room, target, key, sender, type }: Identity,
): Promise<boolean> {
  if ((await relatedTargets.among([{ room, eventId: target }])).length === 0) return false;
  let left: Stretch = { dir: "b", after: Number.NEGATIVE_INFINITY, upTo: Number.POSITIVE_INFINITY };
  for (let scanned = 0; scanned < SCANNED; scanned += BATCH) {
    const [page] = await relatedTo(storage, room, [target], left, BATCH);
    const { related, rest } = page!;
    const same = related.filter(
      (one) => one.relType === "m.annotation" && one.eventType === type && one.sender === sender,
    );
    const annotations = await events.get(same.map(({ nid }) => nid));
    if (
      annotations.some(({ pdu, redactedBy }) => redactedBy === "" && annotationOf(pdu.content)?.key === key)
    )
      return true;
    if (rest === undefined) return false;
    left = restOf(left, rest);
  }
  return false;
}
