import type { PositionedEntry } from "../../../log/entry.ts";
import type { ReceiptsForReaders } from "../../../receipts/api.ts";
import type { Storage } from "../../../storage/api.ts";
import type { OutgoingEdu } from "../../api.ts";
import type { RoomServers } from "../room-servers.ts";

export type ReceiptSources = {
  storage: Pick<Storage, "names">;
  receipts: Pick<ReceiptsForReaders, "changed">;
  servers: RoomServers;
};

/**
 * A marker that a user here has moved; never a private one, which is for nobody else.
 * @returns nothing where the marker has moved on since: a later entry has that
 * @see https://spec.matrix.org/v1.19/server-server-api/#receipts
 */
export async function receiptsOf(
  { storage, receipts, servers }: ReceiptSources,
  { room, position, detail }: PositionedEntry,
  userId: string,
): Promise<OutgoingEdu[]> {
  if (detail !== "m.read") return [];
  const others = await servers.othersIn(room);
  if (others.length === 0) return [];
  const roomId = await storage.names.text(room);
  const moved = await receipts.changed(room, userId, position - 1, position);
  return moved
    .filter(({ type }) => type === "m.read")
    .map(({ eventId, thread, ts }) => {
      const data = thread === "" ? { ts } : { ts, thread_id: thread };
      return {
        edu: {
          edu_type: "m.receipt",
          content: { [roomId]: { "m.read": { [userId]: { event_ids: [eventId], data } } } },
        },
        servers: others,
        key: `receipt/${roomId}/${userId}/${thread}`,
        durable: true,
      };
    });
}
