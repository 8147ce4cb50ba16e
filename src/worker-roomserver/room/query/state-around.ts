import { invalidParam, notFound } from "../../../matrix/errors.ts";
import type { EventNid } from "../../storage/schema.ts";
import type { StoredEvent } from "../api.ts";
import type { RoomParts } from "../parts.ts";
import type { SnapshotChain } from "../snapshots.ts";
import type { StateAroundEntry, StateAroundEvent, StateContent } from "./event-graph-api.ts";

/** Entries of one page, however many are asked for. */
const MOST_ENTRIES = 1_000;

type Around = { before: EventNid | undefined; after: EventNid | undefined };

/**
 * The state before and after an event, page by page: what the event has changed comes first.
 *
 * Asks nobody who may see what: it is for the owner of the node. Costs two states (a few records each, and memory for
 * all their entries), and the events of the page.
 * @param page.from - how many entries were given already: `next` of the page before
 * @throws MatrixError M_NOT_FOUND (404) for an event that the room does not have, M_INVALID_PARAM (400)
 */
export async function stateAtEvent(
  parts: RoomParts,
  roomId: string,
  eventId: string,
  page: { from?: number | undefined; limit: number },
): Promise<StateAroundEvent> {
  const from = page.from ?? 0;
  if (!Number.isSafeInteger(from) || from < 0) throw invalidParam('"from" must be the "next" of a page.');
  // What is answered must be durable, and memory may be ahead of the disk.
  await parts.storage.settled();
  const event = await parts.events.byId(eventId);
  if (event?.roomId !== roomId) throw notFound("There is no such event in the room.");
  if (event.isOutlier) return { eventId, isKnown: false, count: 0, entries: [] };
  const [before, after] = await Promise.all([
    parts.snapshots.chain(event.stateBefore),
    parts.snapshots.chain(event.stateAfter),
  ]);
  const all = changedFirst(before, after);
  const shown = all.slice(from, from + Math.min(Math.max(1, page.limit), MOST_ENTRIES));
  const next = from + shown.length;
  return {
    eventId,
    isKnown: true,
    count: all.length,
    entries: await entriesOf(parts, shown),
    ...(next < all.length && { next }),
  };
}

function changedFirst(before: SnapshotChain, after: SnapshotChain): Around[] {
  const differing = [...before.differences(after)];
  const isChanged = new Set(differing.map((pair) => `${pair}`));
  const changed = differing.map((pair) => ({ before: before.entry(...pair), after: after.entry(...pair) }));
  // Each has its own number, so that a page starts where the one before has ended.
  const same = before.entries((type, key) => !isChanged.has(`${[type, key]}`)).sort((a, b) => a - b);
  return [...changed, ...same.map((nid) => ({ before: nid, after: nid }))];
}

async function entriesOf(parts: RoomParts, around: readonly Around[]): Promise<StateAroundEntry[]> {
  const nids = new Set(around.flatMap(({ before, after }) => [before, after]));
  nids.delete(undefined);
  const events = await parts.events.get([...nids] as EventNid[]);
  const byNid = new Map(events.map((event) => [event.nid, event]));
  return around.map(({ before, after }) => {
    // At least one of the two is there: what is in neither state is no difference.
    const { pdu } = byNid.get((after ?? before)!)!;
    return {
      type: pdu.type,
      stateKey: pdu.state_key ?? "",
      ...(before !== undefined && { before: stateContent(byNid.get(before)!) }),
      ...(after !== undefined && { after: stateContent(byNid.get(after)!) }),
      isChanged: before !== after,
    };
  });
}

function stateContent({ eventId, pdu }: StoredEvent): StateContent {
  return { eventId, sender: pdu.sender, content: pdu.content };
}
