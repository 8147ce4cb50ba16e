import { forbidden } from "../../../matrix/errors.ts";
import type { Requester } from "../../node/requester.ts";
import type { Position } from "../../storage/schema.ts";
import type { RoomParts } from "../parts.ts";
import type { RoomHead } from "../room-head.ts";
import type { SnapshotChain } from "../snapshots.ts";
import { snapshotAt } from "./timeline.ts";

/** What of a room somebody may read. */
export type Access = {
  head: RoomHead;
  /** The state that they get: the current one, or that of when they left. */
  state: SnapshotChain;
  /** Where the room ends for them: an order in its timeline. */
  end: Position;
};

/**
 * Members read the room as it is, those who have left as it was then until they forget it, and anybody a
 * world-readable one.
 * @throws MatrixError M_FORBIDDEN (403), also for a room that is not known: who is outside is not told which
 */
export async function accessTo(parts: RoomParts, requester: Requester, roomId: string): Promise<Access> {
  // What is answered must be durable, and memory may be ahead of the disk.
  await parts.storage.settled();
  const head = await parts.heads.find(roomId);
  if (head === undefined) throw outside();
  const { storage, memberships, visibility } = parts;
  const info = (await memberships.of(requester.userId)).get(head.nid);
  const now = { head, state: head.current, end: storage.position };
  if (info?.membership === "join") return now;
  if (info !== undefined && !info.forgotten && (info.membership === "leave" || info.membership === "ban")) {
    const left = await parts.events.getOne(info.event);
    if (left.replaced?.content.membership === "join") {
      const state = await parts.snapshots.chain(await snapshotAt(parts, head.nid, left.order));
      return { head, state, end: left.order };
    }
  }
  if (await visibility.isWorldReadable(head.current.nid)) return now;
  throw outside();
}

const outside = () => forbidden("You are not in the room, and it is not open to readers from outside.");
