import { compareChildren, isChild, isSuggested } from "../../../matrix/space-children.ts";
import type { StoredEvent } from "../api.ts";
import type { RoomParts } from "../parts.ts";
import type { Preview } from "./preview.ts";

/** Child events of one space that are read: the largest spaces that there are have some hundred rooms. */
const CHILDREN_READ = 2_000;

/**
 * The `m.space.child` events of a space by which rooms are in it, in their order; none of a room that is no space.
 * Costs a pass over the room's state in memory and these events, at most `CHILDREN_READ`.
 */
export async function spaceChildren(
  { events, storage }: RoomParts,
  { head, state }: Preview,
  suggestedOnly: boolean,
): Promise<StoredEvent[]> {
  if (state["m.room.create"]?.type !== "m.space") return [];
  const type = await storage.names.find("m.space.child");
  const nids = head.current.entries((of) => of === type).sort((a, b) => a - b);
  const found = await events.get(nids.slice(0, CHILDREN_READ));
  return found
    .filter(({ pdu }) => isChild(pdu) && (!suggestedOnly || isSuggested(pdu)))
    .sort((a, b) => compareChildren(a.pdu, b.pdu));
}
