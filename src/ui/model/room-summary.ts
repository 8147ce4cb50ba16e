/** A room's line in the list. */
export type RoomSummary = {
  roomId: string;
  name: string;
  /** The last message, or who invites; may be empty. */
  preview: string;
  /** Last activity, in ms since 1970. */
  ts: number;
  unread: number;
  highlights: number;
  /** Some message of ours could not be sent. */
  failed: boolean;
  invited: boolean;
};

/** Invitations first, then by time, the newest on top; the room id decides ties, so that nothing jumps. */
export function compareRooms(a: RoomSummary, b: RoomSummary): number {
  if (a.invited !== b.invited) return a.invited ? -1 : 1;
  if (a.ts !== b.ts) return b.ts - a.ts;
  return a.roomId < b.roomId ? -1 : a.roomId > b.roomId ? 1 : 0;
}
