import type { Generation } from "../../storage/api.ts";
import { CommitSuperseded } from "../../storage/errors.ts";
import type { RoomParts } from "../parts.ts";

/** How often it is decided anew because a write that it was based on has failed. */
const ATTEMPTS = 3;

/**
 * Runs `task` while nobody else changes the room; again where it commits on a `basis` that turns out to be void.
 * `task` finds what is on the disk, and in memory.
 */
export async function inRoom<T>(
  { storage, locks }: Pick<RoomParts, "storage" | "locks">,
  roomId: string,
  task: (basis: Generation) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await locks.run(roomId, async () => {
        await storage.settled();
        return task(storage.generation);
      });
    } catch (error) {
      if (!(error instanceof CommitSuperseded) || attempt === ATTEMPTS) throw error;
    }
  }
}
