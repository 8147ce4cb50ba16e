import type { Storage, Write } from "../storage/api.ts";
import type { DeviceRow, PusherRow, TokenRow } from "../storage/schema.ts";
import type { DeviceBelongings, DeviceRemoved } from "./api.ts";

/** A token's row with the key that it stands under. */
export type KeyedToken = TokenRow & { hash: string };

/** Everything whose key begins with the user: an array sorts after any string. */
const ofUser = (userId: string) => IDBKeyRange.bound([userId], [userId, []]);

/** The devices of a user, by id. */
export function devicesOf(storage: Storage, userId: string): Promise<DeviceRow[]> {
  return storage.getAll("devices", ofUser(userId));
}

/** The tokens of a user's devices, or of one. */
export async function tokensOf(storage: Storage, userId: string, deviceId?: string): Promise<KeyedToken[]> {
  const range = deviceId === undefined ? ofUser(userId) : IDBKeyRange.only([userId, deviceId]);
  const [hashes, rows] = await storage.read(["tokens"], (tx) => {
    const index = tx.objectStore("tokens").index("device");
    return Promise.all([index.getAllKeys(range), index.getAll(range)]);
  });
  return rows.map((row, i) => ({ ...row, hash: hashes[i]! }));
}

/** The pushers of a user's devices. */
export function pushersOf(storage: Storage, userId: string): Promise<PusherRow[]> {
  return storage.getAll("pushers", ofUser(userId));
}

/** Removes a pusher, with what is known of how far it has come. */
export function deletePusher(write: Write, { userId, appId, pushkey }: PusherRow): void {
  write.delete("pushers", [userId, appId, pushkey]);
  write.delete("pushProgress", [userId, appId, pushkey]);
}

/**
 * Reads what has to go with those devices of a user that `which` says. To be called, and its result used, under the
 * account's lock.
 * @param isAccount - all of them go, and the account with them
 * @returns removes them, their tokens, their pushers and what else is kept for them
 */
export async function removalOfDevices(
  {
    storage,
    deviceRemoved,
    belongings,
  }: { storage: Storage; deviceRemoved: DeviceRemoved; belongings: DeviceBelongings },
  userId: string,
  which: (deviceId: string) => boolean,
  isAccount = false,
): Promise<(write: Write) => void> {
  const [user, devices, tokens, pushers] = await Promise.all([
    storage.names.intern(userId),
    devicesOf(storage, userId),
    tokensOf(storage, userId),
    pushersOf(storage, userId),
  ]);
  const gone = devices.map(({ deviceId }) => deviceId).filter(which);
  const removeBelongings = await belongings.removal(userId, gone, isAccount);
  return (write) => {
    for (const deviceId of gone) {
      write.delete("devices", [userId, deviceId]);
      deviceRemoved(write, userId, deviceId);
      write.append({ topic: "session", user, detail: deviceId });
    }
    for (const { deviceId, hash } of tokens) if (which(deviceId)) write.delete("tokens", hash);
    for (const pusher of pushers) if (which(pusher.deviceId)) deletePusher(write, pusher);
    removeBelongings(write);
  };
}
