import type { Storage, Write } from "../../../src/worker-roomserver/storage/api.ts";

/** Lets the disk refuse the unit, whole. */
export function failUnit(write: Write): void {
  const notCloneable = (() => undefined) as unknown as object;
  write.put("meta", notCloneable, "fails");
}

/** Makes a commit fail on the disk, so that everything queued behind it fails too and memory is rolled back. */
export async function failCommit(storage: Storage): Promise<void> {
  const failure = await storage.commit(failUnit).catch((error: unknown) => error);
  if (failure === undefined) throw new Error("the commit should have failed");
}

/**
 * Ends this leader as when its tab is closed right after the next unit: that one reaches the disk, and no other.
 * @returns once that has happened
 */
export async function diesAfterNextUnit(storage: Storage): Promise<void> {
  const commit = storage.commit.bind(storage);
  let isLast = true;
  await new Promise<void>((resolve, reject) => {
    storage.commit = async (fill, options) => {
      // Of the units that nobody waits for it makes no difference which are lost.
      if (!isLast || options?.lazy) return new Promise(() => undefined);
      isLast = false;
      const written = commit(fill, options);
      written.then(() => resolve(), reject);
      return written;
    };
  });
}

/** The real one, also in tests that stop the clock. */
const { setTimeout: realSetTimeout } = globalThis;

/** Lets everything that is under way get on by one round of the event loop. */
export const nextTask = (): Promise<void> => new Promise((resolve) => realSetTimeout(resolve));

/** Waits until something holds that is under way; unlike `vi.waitUntil`, it does not move a clock that was stopped. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await nextTask();
}
