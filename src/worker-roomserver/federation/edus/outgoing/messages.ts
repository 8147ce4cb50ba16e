import type { Storage, Write } from "../../../storage/api.ts";
import type { Position } from "../../../storage/schema.ts";
import { outboxContent, rangeOfServer } from "../../../to-device/outbox.ts";
import type { OutgoingMessages } from "../../api.ts";

/** @see OutgoingEdus.messagesFor */
export async function messagesFor(
  storage: Pick<Storage, "getAll" | "getAllKeys">,
  server: string,
  after: Position,
  limit: number,
): Promise<OutgoingMessages> {
  const range = rangeOfServer(server, after);
  const [keys, rows] = await Promise.all([
    storage.getAllKeys("toDeviceOutbox", range, limit + 1),
    storage.getAll("toDeviceOutbox", range, limit + 1),
  ]);
  return {
    edus: rows
      .slice(0, limit)
      .map((row) => ({ edu_type: "m.direct_to_device", content: outboxContent(row) })),
    upTo: keys.slice(0, limit).at(-1)?.[1] ?? after,
    hasMore: rows.length > limit,
  };
}

/** @see OutgoingEdus.messagesTaken */
export function messagesTaken(write: Write, server: string, upTo: Position): void {
  write.delete("toDeviceOutbox", IDBKeyRange.bound([server], [server, upTo]));
}
