import type { RoomParts } from "../../parts.ts";

/** What questions on a room's graph are answered from. */
export type GraphParts = Pick<
  RoomParts,
  "storage" | "events" | "recent" | "snapshots" | "memberships" | "graphs" | "heads" | "author" | "now"
> & {
  users: Pick<RoomParts["users"], "erasedSince">;
};
