import { forbidden } from "../../matrix/errors.ts";
import type { Generation, Storage, Write } from "../storage/api.ts";
import type { MediaRow, MediaUsageRow } from "../storage/schema.ts";
import type { MediaLimits } from "./limits.ts";

/** `user` of what the server has fetched itself. */
const FETCHED = "";

type Used = { bytes: number; files: number };
/** What the rows say and those that are queued, as of a generation of the storage. */
type Kept = { basis: Generation; used: Map<string, Used> };

/** A change of what is kept. `basis` goes with the commit of the unit that it is written in, without delay. */
export type UsageChange = { basis: Generation; put: (write: Write) => void };

/** How much media each user has here. What is on its way counts: two uploads at once cannot share the last of it. */
export class MediaUsage {
  readonly #storage: Storage;
  readonly #limits: MediaLimits;
  #kept: Promise<Kept> | undefined;
  readonly #underWay = new Map<string, Used>();

  constructor(storage: Storage, limits: MediaLimits) {
    this.#storage = storage;
    this.#limits = limits;
    storage.onRollback(() => {
      this.#kept = undefined;
    });
  }

  /**
   * Holds room for a file while it is written.
   * @throws MatrixError M_FORBIDDEN 403 when there is no room
   */
  async hold<T>(user: string, bytes: number, task: () => Promise<T>): Promise<T> {
    const { used } = await this.#load();
    // Nothing is waited for between the look and the holding.
    this.#check(used, user, bytes);
    add(this.#underWay, user, bytes, 1);
    try {
      return await task();
    } finally {
      add(this.#underWay, user, -bytes, -1);
    }
  }

  added({ user, size }: MediaRow): Promise<UsageChange> {
    return this.#change(user, size, 1);
  }

  removed({ user, size, blob }: MediaRow): Promise<UsageChange> {
    return blob === undefined ? this.#change(user, 0, 0) : this.#change(user, -size, -1);
  }

  async list(): Promise<{ user_id: string; bytes: number; files: number }[]> {
    const { used } = await this.#load();
    const list = [...used].map(([user_id, { bytes, files }]) => ({ user_id, bytes, files }));
    return list.sort((one, other) => (one.user_id < other.user_id ? -1 : 1));
  }

  async #change(user: string, bytes: number, files: number): Promise<UsageChange> {
    const { basis, used } = await this.#load();
    const put = (write: Write) => {
      const now = add(used, user, bytes, files);
      if (now.files > 0) write.put("mediaUsage", [now.bytes, now.files] satisfies MediaUsageRow, user);
      else write.delete("mediaUsage", user);
    };
    return { basis, put };
  }

  #check(used: ReadonlyMap<string, Used>, user: string, bytes: number): void {
    const all = [...used, ...this.#underWay];
    const ofUser = sum(all.filter(([other]) => other === user));
    const { userBytes, userFiles, fetchedBytes, totalBytes } = this.#limits;
    if (user === FETCHED) {
      if (ofUser.bytes + bytes > fetchedBytes) throw forbidden("There is no room for more fetched media.");
    } else if (ofUser.bytes + bytes > userBytes || ofUser.files + 1 > userFiles) {
      throw forbidden("You have uploaded as much as this homeserver keeps for one user.");
    }
    if (sum(all).bytes + bytes > totalBytes) {
      throw forbidden("This homeserver keeps as much media as it has room for.");
    }
  }

  #load(): Promise<Kept> {
    this.#kept ??= this.#read();
    return this.#kept;
  }

  async #read(): Promise<Kept> {
    const basis = this.#storage.generation;
    try {
      await this.#storage.settled();
      const [users, rows] = await Promise.all([
        this.#storage.getAllKeys("mediaUsage"),
        this.#storage.getAll("mediaUsage"),
      ]);
      const used = users.map((user, i) => [user, { bytes: rows[i]![0], files: rows[i]![1] }] as const);
      return { basis, used: new Map(used) };
    } catch (error) {
      this.#kept = undefined; // the next to ask tries again
      throw error;
    }
  }
}

function add(to: Map<string, Used>, user: string, bytes: number, files: number): Used {
  const before = to.get(user);
  const after = { bytes: (before?.bytes ?? 0) + bytes, files: (before?.files ?? 0) + files };
  if (after.files > 0) to.set(user, after);
  else to.delete(user);
  return after;
}

function sum(parts: Iterable<readonly [string, Used]>): Used {
  const total = { bytes: 0, files: 0 };
  for (const [, { bytes, files }] of parts) {
    total.bytes += bytes;
    total.files += files;
  }
  return total;
}
