import { parseUserId, type UserId } from "../../matrix/identifiers.ts";
import { DurableReader } from "../log/reader.ts";
import type { Storage } from "../storage/api.ts";
import type { Position } from "../storage/schema.ts";

/** The fields of a profile that are in member events as well. */
const inMemberEvents = new Set(["displayname", "avatar_url"]);

/**
 * Follows the log and has each profile that was changed announced in the user's rooms. Where a leader dies between
 * the two, the next one goes on from there.
 */
export class ProfileReader {
  readonly #reader: DurableReader;

  /** @param options.announce - brings a user's member events up to date; makes none where they are */
  constructor({ storage, announce }: { storage: Storage; announce: (userId: UserId) => Promise<void> }) {
    this.#reader = new DurableReader({
      storage,
      name: "profiles",
      handle: async (entries) => {
        const changes = entries.filter(
          ({ topic, detail }) => topic === "profile" && inMemberEvents.has(detail),
        );
        const users = new Set(changes.map(({ user }) => user));
        if (users.size === 0) return undefined;
        for (const user of users) await announce(parseUserId(await storage.names.text(user)));
        // Stores the offset, so that the next leader does not undo what users have since said in single rooms.
        return () => undefined;
      },
      reset: () => undefined,
    });
  }

  /** Resolves once every change up to the position has been announced. @throws what the storage failed with */
  caughtUp(position: Position): Promise<void> {
    return this.#reader.caughtUp(position);
  }

  close(): void {
    this.#reader.stop();
  }
}
