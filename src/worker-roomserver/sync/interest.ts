import type { PositionedEntry } from "../log/entry.ts";
import { detailToKeyChange } from "../log/key-changes.ts";
import type { Storage } from "../storage/api.ts";
import type { Nid } from "../storage/schema.ts";

/** What of the log concerns one user. */
export type Interest = {
  user: Nid;
  /** The device that syncs, if it is one. */
  deviceId: string | undefined;
  /** Rooms in which the user is joined. */
  rooms: ReadonlySet<Nid>;
  /** Other users with whom the user shares a room: whose devices, and presence, the user is told of. */
  sharing: ReadonlySet<Nid>;
  /** Whether the user wants to be told of presence. */
  presence: boolean;
};

/** The nids of sets of users that were asked for before. */
const knownNids = new WeakMap<ReadonlySet<string>, ReadonlySet<Nid>>();

export async function nidsOf(
  storage: Pick<Storage, "names">,
  users: ReadonlySet<string>,
): Promise<ReadonlySet<Nid>> {
  const known = knownNids.get(users);
  if (known !== undefined) return known;
  const found = await Promise.all([...users].map((userId) => storage.names.find(userId)));
  const nids = new Set(found.filter((nid) => nid !== undefined));
  // One whose name has no number yet gets one later.
  if (nids.size === users.size) knownNids.set(users, nids);
  return nids;
}

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
      return interest.presence && interest.sharing.has(user);
    case "accountData":
      return user === interest.user;
    case "toDevice":
      return user === interest.user && detail === interest.deviceId;
    case "deviceList":
      return concernsKeys(interest, user, detail);
    // These have no part in an answer: a profile shows in member events, a room that is gone in nothing, history where
    // it is asked for; a session that has ended gets none, and the others are not there yet.
    case "profile":
    case "purge":
    case "history":
    case "mail":
    case "session":
    case "media":
      return false;
  }
}

function concernsKeys(interest: Interest, user: Nid, detail: string): boolean {
  const { what, deviceId } = detailToKeyChange(detail);
  switch (what) {
    case "device":
    case "signing":
      return user === interest.user || interest.sharing.has(user);
    case "own":
      return user === interest.user;
    case "claimed":
      return user === interest.user && deviceId === interest.deviceId;
  }
}
