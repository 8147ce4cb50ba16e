import type { Storage } from "../../../src/worker-roomserver/storage/api.ts";

/** Makes a commit fail on the disk, so that everything queued behind it fails too and memory is rolled back. */
export async function failCommit(storage: Storage): Promise<void> {
  const notCloneable = (() => undefined) as unknown as object;
  const failure = await storage
    .commit((write) => write.put("meta", notCloneable, "fails"))
    .catch((error: unknown) => error);
  if (failure === undefined) throw new Error("the commit should have failed");
}

/** The real one, also in tests that stop the clock. */
const { setTimeout: realSetTimeout } = globalThis;

/** Lets everything that is under way get on by one round of the event loop. */
export const nextTask = (): Promise<void> => new Promise((resolve) => realSetTimeout(resolve));

/** Waits until something holds that is under way; unlike `vi.waitUntil`, it does not move a clock that was stopped. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await nextTask();
}
