import { KeyedLock } from "../../../node/keyed-lock.ts";
import type { Storage } from "../../../storage/api.ts";
import { LeaderFenced } from "../../../storage/errors.ts";
import { Lru } from "../../../storage/lru.ts";
import type { DeviceListUpdateRow, Nid, Position } from "../../../storage/schema.ts";

const IN_MEMORY = 10_000;

/**
 * Which update of a user's devices each follows. A `stream_id` is the position of the change in the log, and so is that
 * of `GET /user/devices`: whoever has asked for that can take in the update that comes next. The last one is kept, as the
 * log does not lead back to it. Where it was lost, the next update follows none that others know, and they ask anew.
 */
export class UpdateChain {
  readonly #storage: Storage;
  readonly #last = new Lru<Nid, DeviceListUpdateRow>(IN_MEMORY);
  readonly #lock = new KeyedLock<Nid>();
  readonly #unsubscribe: () => void;

  constructor(storage: Storage) {
    this.#storage = storage;
    this.#unsubscribe = storage.onRollback(() => this.#last.clear());
  }

  /**
   * The one before an update, which becomes the last; 0 where it is not known. To be called in the order of the log; said
   * again of the last one, it is answered the same. Cost: a row for the first of a user, and one that is written lazily.
   */
  previous(user: Nid, position: Position): Promise<Position> {
    return this.#lock.run(user, async () => {
      const [last, before] = this.#last.get(user) ??
        (await this.#storage.get("deviceListUpdates", user)) ?? [0, 0];
      if (last === position) return before;
      if (last > position) return 0;
      const row: DeviceListUpdateRow = [position, last];
      this.#last.set(user, row);
      this.#storage
        .commit((write) => write.put("deviceListUpdates", row, user), { lazy: true })
        .catch((error: unknown) => {
          if (error instanceof LeaderFenced) return; // the next leader does it
          console.warn("hearth: other servers will ask anew for the devices of a user", error);
        });
      return last;
    });
  }

  close(): void {
    this.#unsubscribe();
  }
}
