import type { Storage } from "../storage/api.ts";
import type { DeviceRow, TokenRow } from "../storage/schema.ts";
import type { Belongings, Fill } from "./api.ts";

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

/**
 * Reads what has to go with those devices of a user that `which` says. To be called, and its result used, under the
 * account's lock.
 * @param isAccount - all of them go, and the account with them
 * @returns removes them, their tokens and what else is kept for them, and tells who answers for their sessions
 */
export async function removalOfDevices(
  { storage, belongings }: { storage: Storage; belongings: Belongings },
  userId: string,
  which: (deviceId: string) => boolean,
  isAccount = false,
): Promise<Fill> {
  const [user, devices, tokens] = await Promise.all([
    storage.names.intern(userId),
    devicesOf(storage, userId),
    tokensOf(storage, userId),
  ]);
  const deviceIds = devices.map(({ deviceId }) => deviceId).filter(which);
  const removeBelongings = await belongings.removal({ userId, deviceIds, isAccount });
  return (write) => {
    for (const deviceId of deviceIds) {
      write.delete("devices", [userId, deviceId]);
      write.append({ topic: "session", user, detail: deviceId });
    }
    for (const { deviceId, hash } of tokens) if (which(deviceId)) write.delete("tokens", hash);
    removeBelongings(write);
  };
}
