import type { Ed25519 } from "../../matrix/ed25519.ts";
import type { ServerName } from "../../matrix/identifiers.ts";
import type { Answers } from "../node/answers.ts";
import type { Storage } from "../storage/api.ts";
import type { DeviceBelongings, UsersForKeys } from "../users/api.ts";
import type { Keys, KeysForReaders, KeysForServers } from "./api.ts";
import { claim } from "./claim.ts";
import { Counts } from "./counts.ts";
import { uploadCrossSigning } from "./cross-signing.ts";
import {
  dehydratedDevice,
  dehydratedDeviceEvents,
  deleteDehydratedDevice,
  putDehydratedDevice,
} from "./dehydrated-device.ts";
import { upload } from "./device-keys.ts";
import { changedLists } from "./list-changes.ts";
import { OneTimeKeys } from "./one-time-keys.ts";
import type { KeyParts } from "./parts.ts";
import { query, userDevices } from "./query.ts";
import { keyBelongings } from "./removal.ts";
import { uploadSignatures } from "./signatures.ts";

export type KeysOptions = {
  storage: Storage;
  answers: Answers;
  users: UsersForKeys;
  serverName: ServerName;
  ed25519: Ed25519;
  toDevice: KeyParts["toDevice"];
};

/** Puts the component together. `belongings` is what the users component asks when devices go. */
export function openKeys(options: KeysOptions): {
  keys: Keys & KeysForReaders & KeysForServers;
  belongings: DeviceBelongings;
} {
  const { storage } = options;
  const counts = new Counts(storage);
  const parts: KeyParts = { ...options, oneTimeKeys: new OneTimeKeys(storage, counts) };
  const keys: Keys & KeysForReaders & KeysForServers = {
    upload: async (requester, body) => ({ one_time_key_counts: await upload(parts, requester, body) }),
    query: (requester, wanted) => query(parts, requester.userId, wanted),
    claim: (request, wanted) => claim(parts, request, wanted),
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

    changedLists: (userId, after) => changedLists(storage, userId, after),
    counts: (userId, deviceId) => counts.get(userId, deviceId),

    queryLocal: (wanted) => query(parts, undefined, wanted),
    userDevices: (userId) => userDevices(parts, userId),
  };
  return { keys, belongings: keyBelongings(parts) };
}
