import type { JsonObject } from "../../../../matrix/json.ts";
import type { PositionedEntry } from "../../../log/entry.ts";
import type { PresenceForReaders } from "../../../presence/api.ts";
import type { OutgoingEdu } from "../../api.ts";
import type { RoomServers } from "../room-servers.ts";

export type PresenceSources = {
  presence: Pick<PresenceForReaders, "changed">;
  servers: RoomServers;
  now: () => number;
};

/**
 * The presence of a user here, if it has not changed once more since.
 * @see https://spec.matrix.org/v1.19/server-server-api/#presence
 */
export async function presenceOf(
  { presence, servers, now }: PresenceSources,
  { position }: PositionedEntry,
  userId: string,
): Promise<OutgoingEdu[]> {
  const others = [...(await servers.sharingWith(userId))];
  if (others.length === 0) return [];
  const events = await presence.changed(new Set([userId]), position - 1, position);
  return presenceEdus(events, others, now());
}

/** @param events - `m.presence`, as sync has them */
export function presenceEdus(
  events: readonly JsonObject[],
  servers: readonly string[],
  now: number,
): OutgoingEdu[] {
  return events.map(({ sender, content }) => ({
    edu: {
      edu_type: "m.presence",
      // Who was never active was last so when time began: the member must be there.
      content: { push: [{ last_active_ago: now, ...(content as JsonObject), user_id: sender! }] },
    },
    servers,
    key: `presence/${String(sender)}`,
    durable: false,
  }));
}
