import { later, lazily, once } from "../node/later.ts";
import type { Belongings } from "../users/api.ts";
import type { Keys, KeysForReaders, KeysForRelays, KeysForRemoteUsers, KeysForServers } from "./api.ts";
import { Counts } from "./counts.ts";
import { changedLists, tellAll } from "./list-changes.ts";
import type { KeysOptions } from "./make-keys.ts";

const code = later(() => import("./make-keys.ts"));

/**
 * Puts the component together: what every sync asks for now, the rest when it is first called. `belongings` is what the
 * users component asks when devices go.
 */
export function openKeys(options: KeysOptions): {
  keys: Keys & KeysForReaders & KeysForRemoteUsers & KeysForServers & KeysForRelays;
  belongings: Belongings;
} {
  const { storage } = options;
  const counts = new Counts(storage);
  const whole = once(async () => (await code()).makeKeys(options, counts));
  const keys = lazily<Keys & KeysForServers & KeysForRelays, KeysForReaders & KeysForRemoteUsers>(
    async () => (await whole()).keys,
    {
      changedLists: (userId, after) => changedLists(storage, userId, after),
      counts: (userId, deviceId) => counts.get(userId, deviceId),
      tellChanged: tellAll,
    },
  );
  return {
    keys,
    belongings: {
      removal: async (removed) => (await whole()).belongings.removal(removed),
      renaming: async (userId, deviceId) => (await whole()).belongings.renaming(userId, deviceId),
    },
  };
}
