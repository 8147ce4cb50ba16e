import { isJsonObject } from "../../../matrix/json.ts";
import type { AccountDataEvent, AccountDataForReaders } from "../../account-data/api.ts";
import type { Storage } from "../../storage/api.ts";
import { Lru } from "../../storage/lru.ts";
import type { Nid } from "../../storage/schema.ts";

/** What of a user's account data rooms are told apart by. */
export type UserData = {
  /** Rooms that `m.direct` names. */
  direct: ReadonlySet<string>;
  tags: ReadonlyMap<string, ReadonlySet<string>>;
};

const TYPES: readonly string[] = ["m.direct", "m.tag"];

/** The direct rooms and tags of users, in memory; the log says when they have changed. */
export class UserDataCache {
  readonly #accountData: AccountDataForReaders;
  readonly #known = new Lru<Nid, Promise<UserData>>(1_000);

  constructor(storage: Storage, accountData: AccountDataForReaders) {
    this.#accountData = accountData;
    storage.onEntries((entries) => {
      for (const { topic, detail, user } of entries) {
        if (topic === "accountData" && TYPES.includes(detail)) this.#known.delete(user);
      }
    });
    storage.onRollback(() => this.#known.clear());
  }

  /** One range of an index for a user who was not asked for lately. */
  of(userId: string, user: Nid): Promise<UserData> {
    const known = this.#known.get(user);
    if (known !== undefined) return known;
    const loading = this.#accountData.changed(userId, 0, Number.MAX_SAFE_INTEGER).then(userData);
    this.#known.set(user, loading);
    loading.catch(() => this.#known.delete(user));
    return loading;
  }
}

function userData(events: readonly AccountDataEvent[]): UserData {
  const direct = new Set<string>();
  const tags = new Map<string, ReadonlySet<string>>();
  for (const { roomId, type, content } of events) {
    if (type === "m.direct" && roomId === null) {
      for (const rooms of Object.values(content)) {
        for (const room of Array.isArray(rooms) ? rooms : []) if (typeof room === "string") direct.add(room);
      }
    } else if (type === "m.tag" && roomId !== null && isJsonObject(content.tags)) {
      tags.set(roomId, new Set(Object.keys(content.tags)));
    }
  }
  return { direct, tags };
}
