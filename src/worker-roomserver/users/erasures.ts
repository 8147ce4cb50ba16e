import type { Storage, Write } from "../storage/api.ts";
import type { Nid, Position } from "../storage/schema.ts";

/**
 * Users who had their content erased with their account: of their events, who enters a room later gets redacted copies.
 * All of them in memory, as every page of history asks: they are few, and as long as an id each.
 * @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3accountdeactivate
 */
export class Erasures {
  readonly #since: Map<string, Position>;

  private constructor(since: Map<string, Position>) {
    this.#since = since;
  }

  static async open(storage: Storage): Promise<Erasures> {
    const [users, positions] = await Promise.all([
      storage.getAllKeys("erasures"),
      storage.getAll("erasures"),
    ]);
    return new Erasures(new Map(users.map((userId, i) => [userId, positions[i]!])));
  }

  /** Where the log stood when a user was erased; undefined for everybody else. */
  since(userId: string): Position | undefined {
    return this.#since.get(userId);
  }

  /** Queues the erasure: all of what is the user's own and no event. */
  put(write: Write, userId: string, user: Nid): Position {
    const ofUser = IDBKeyRange.bound([user], [user, []]);
    write.delete("accountData", ofUser);
    write.delete("filters", ofUser);
    write.delete("profiles", userId);
    const p = write.append({ topic: "profile", user });
    write.put("erasures", p, userId);
    return p;
  }

  /** Once that is on the disk. */
  done(userId: string, position: Position): void {
    this.#since.set(userId, position);
  }
}
