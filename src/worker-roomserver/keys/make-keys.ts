import type { Keys, KeysForRelays, KeysForServers } from "./api.ts";
import { claim, claimLocal } from "./claim.ts";
import type { Counts } from "./counts.ts";
import { uploadCrossSigning } from "./cross-signing.ts";
import {
  dehydratedDevice,
  dehydratedDeviceEvents,
  deleteDehydratedDevice,
  putDehydratedDevice,
} from "./dehydrated-device.ts";
import { keyDeposits } from "./deposits.ts";
import { upload } from "./device-keys.ts";
import { OneTimeKeys } from "./one-time-keys.ts";
import type { KeyParts } from "./parts.ts";
import { query, queryLocal, userDevices } from "./query.ts";
import { type KeyBelongings, keyBelongings } from "./removal.ts";
import { uploadSignatures } from "./signatures.ts";

export type KeysOptions = Omit<KeyParts, "oneTimeKeys">;

/** Puts together what changes keys, and what looks them up. */
export function makeKeys(
  options: KeysOptions,
  counts: Counts,
): { keys: Keys & KeysForServers & KeysForRelays; belongings: KeyBelongings } {
  const parts: KeyParts = { ...options, oneTimeKeys: new OneTimeKeys(options.storage, counts) };
  const keys: Keys & KeysForServers & KeysForRelays = {
    upload: async (requester, body) => ({ one_time_key_counts: await upload(parts, requester, body) }),
    query: (requester, wanted, timeoutMs) => query(parts, requester.userId, wanted, timeoutMs),
    claim: (request, wanted, timeoutMs) => claim(parts, request, wanted, timeoutMs),
    uploadCrossSigning: (requester, body) => uploadCrossSigning(parts, requester, body),
    uploadSignatures: (requester, signed) => uploadSignatures(parts, requester, signed),
    putDehydratedDevice: async (requester, body) => {
      await putDehydratedDevice(parts, requester, body);
      return { device_id: body.device_id };
    },
    dehydratedDevice: (requester) => dehydratedDevice(parts, requester),
    deleteDehydratedDevice: async (requester) => ({
      device_id: await deleteDehydratedDevice(parts, requester),
    }),
    dehydratedDeviceEvents: (requester, deviceId, from, limit) =>
      dehydratedDeviceEvents(parts, requester, deviceId, { from, limit }),

    claimLocal: (request, wanted) => claimLocal(parts, request, wanted),
    queryLocal: (wanted) => queryLocal(parts, undefined, wanted),
    userDevices: (userId) => userDevices(parts, userId),

    ...keyDeposits(parts),
  };
  return { keys, belongings: keyBelongings(parts) };
}
