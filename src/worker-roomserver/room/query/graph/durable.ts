import type { Storage } from "../../../storage/api.ts";

/**
 * Answers what `read` finds, once all that it may have seen is on the disk: memory runs ahead of that. Where something
 * of it has failed, it is read anew, as what was found may never have been, and what was missed may be there. Costs a
 * wait for what is being written.
 */
export async function durable<T>(
  storage: Pick<Storage, "generation" | "settled">,
  read: () => Promise<T>,
): Promise<T> {
  for (;;) {
    const { generation } = storage;
    const [outcome] = await Promise.allSettled([read()]);
    await storage.settled();
    if (storage.generation !== generation) continue;
    if (outcome.status === "rejected") throw outcome.reason;
    return outcome.value;
  }
}
