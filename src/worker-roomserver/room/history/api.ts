/** History of rooms that other servers have and this one does not. */
export interface RemoteHistory {
  /**
   * Fetches what comes right before an event of a room's timeline, where something of that is not known here.
   * @returns within some seconds: `came`: there is more of it now; `none`: nobody has more, or says so; `later`: nobody
   *   who may have it could be asked so soon
   */
  before(roomId: string, eventId: string): Promise<"came" | "none" | "later">;
  /**
   * Fetches an event of a room, and gives it a place in its history.
   * @returns within some seconds: whether it is known here now
   */
  event(roomId: string, eventId: string): Promise<boolean>;
}

/** Of a room server that is alone. */
export const noRemoteHistory: RemoteHistory = { before: async () => "none", event: async () => false };
