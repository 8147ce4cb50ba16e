import type { Storage, Write } from "../../storage/api.ts";
import type { PusherRow } from "../../storage/schema.ts";
import type { Belongings } from "../../users/api.ts";
import { keyOf } from "./pusher-key.ts";

/** Pushers go with their devices, and with the login that set them: the next may be another app's. */
export function pusherBelongings(storage: Storage): Belongings {
  const removal = async (userId: string, deviceIds: readonly string[]) => {
    const pushers = await storage.getAll("pushers", IDBKeyRange.bound([userId], [userId, []]));
    const gone = pushers.filter(({ deviceId }) => deviceIds.includes(deviceId));
    return (write: Write) => {
      for (const pusher of gone) deletePusher(write, pusher);
    };
  };
  return {
    removal: ({ userId, deviceIds }) => removal(userId, deviceIds),
    newLogin: (userId, deviceId) => removal(userId, [deviceId]),
  };
}

/** Removes a pusher, with what is known of how far it has come. */
export function deletePusher(write: Write, pusher: PusherRow): void {
  write.delete("pushers", keyOf(pusher));
  write.delete("pushProgress", keyOf(pusher));
}
