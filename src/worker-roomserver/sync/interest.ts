import type { PositionedEntry } from "../log/entry.ts";
import type { Nid } from "../storage/schema.ts";

/** What of the log concerns one user. */
export type Interest = {
  user: Nid;
  /** The device that syncs. */
  deviceId: string;
  /** Rooms in which the user is joined. */
  rooms: ReadonlySet<Nid>;
  /** Other users whose presence the user sees. */
  sharing: ReadonlySet<Nid>;
};

/**
 * Whether a log entry concerns the user. One's own presence does not: two clients of one account would otherwise
 * wake each other for ever. Others' private receipts do not either.
 */
export function concerns(interest: Interest, { topic, room, user, detail }: PositionedEntry): boolean {
  switch (topic) {
    case "room":
    case "state":
      return interest.rooms.has(room) || user === interest.user;
    case "receipt":
      return user === interest.user || (detail === "m.read" && interest.rooms.has(room));
    case "typing":
      return interest.rooms.has(room);
    case "presence":
      return interest.sharing.has(user);
    case "accountData":
      return user === interest.user;
    case "toDevice":
      return user === interest.user && detail === interest.deviceId;
    // These have no part in an answer: a profile shows in member events, a room that is gone in nothing, and the others
    // are not there yet.
    case "profile":
    case "purge":
    case "deviceList":
    case "media":
      return false;
  }
}
