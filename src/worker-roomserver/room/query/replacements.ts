import { isReplaceable, isValidReplacement, latestReplacement } from "../../../matrix/replacements.ts";
import type { EventNid } from "../../storage/schema.ts";
import type { StoredEvent } from "../api.ts";
import type { RoomParts } from "../parts.ts";
import { childrenOf } from "./children.ts";

/** Edits of one event that are looked at: the newest. */
const MOST_EDITS = 500;

/** The valid edit that counts of each event that was edited. See `RoomForReaders.replacements`. */
export async function replacementsOf(
  { storage, events, relatedTargets }: Pick<RoomParts, "storage" | "events" | "relatedTargets">,
  originals: readonly StoredEvent[],
): Promise<Map<EventNid, StoredEvent>> {
  const editable = await relatedTargets.among(
    originals.filter((event) => event.redactedBy === "" && isReplaceable(event)),
  );
  const children = await childrenOf(storage, editable);
  const latest = new Map<EventNid, StoredEvent>();
  for (const original of editable) {
    const own = (children.get(original.eventId)?.replacements ?? []).filter(
      ({ sender }) => sender === original.pdu.sender,
    );
    if (own.length === 0) continue;
    const edits = await events.get(own.slice(0, MOST_EDITS).map(({ nid }) => nid));
    const valid = edits.filter((edit) => edit.redactedBy === "" && isValidReplacement(original, edit));
    const edit = latestReplacement(valid);
    if (edit !== undefined) latest.set(original.nid, edit);
  }
  return latest;
}
