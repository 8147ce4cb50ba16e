import type { Belongings, Fill, Removed } from "../users/api.ts";
import { forgetTold, tellAll } from "./list-changes.ts";
import type { KeyParts } from "./parts.ts";
import { startingWith } from "./rows.ts";
import { removeSignatures, takingBack } from "./signature-rows.ts";

export type KeyBelongings = Required<Pick<Belongings, "removal" | "renaming">>;

type RemovalParts = Pick<KeyParts, "storage" | "oneTimeKeys">;

/** What goes with devices, and with accounts; called by the users component, which holds the account. */
export function keyBelongings(parts: RemovalParts): KeyBelongings {
  return {
    removal: (removed) => removal(parts, removed),
    renaming: (userId, deviceId) => renaming(parts, userId, deviceId),
  };
}

async function removal(
  { storage, oneTimeKeys }: RemovalParts,
  { userId, deviceIds, isAccount }: Removed,
): Promise<Fill> {
  const [user, places, usages, takeBack] = await Promise.all([
    storage.names.intern(userId),
    storage.getAllKeys("deviceKeys", startingWith(userId)),
    isAccount ? storage.getAllKeys("crossSigningKeys", startingWith(userId)) : [],
    Promise.all(
      isAccount
        ? [takingBack(storage, userId)]
        : deviceIds.map((deviceId) => takingBack(storage, userId, `ed25519:${deviceId}`)),
    ),
  ]);
  const published = new Set(places.map(([, deviceId]) => deviceId));
  return (write) => {
    for (const take of takeBack) take(write);
    for (const deviceId of deviceIds) {
      oneTimeKeys.remove(write, userId, deviceId);
      removeSignatures(write, userId, deviceId);
      write.delete("deviceKeys", [userId, deviceId]);
      // Of a device without keys nobody has heard.
      if (published.has(deviceId)) tellAll(write, user, { what: "device", deviceId });
    }
    if (!isAccount) return;
    write.delete("crossSigningKeys", startingWith(userId));
    write.delete("keySignatures", startingWith(userId)); // also those that others have made
    forgetTold(write, user);
    if (usages.length > 0) tellAll(write, user, { what: "signing" });
  };
}

async function renaming({ storage }: RemovalParts, userId: string, deviceId: string): Promise<Fill> {
  const [user, json] = await Promise.all([
    storage.names.intern(userId),
    storage.get("deviceKeys", [userId, deviceId]),
  ]);
  return (write) => {
    if (json !== undefined) tellAll(write, user, { what: "device", deviceId });
  };
}
