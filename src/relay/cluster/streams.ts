import type { StreamConfig } from "@nats-io/jetstream";
import { isMissingStream, type Nats, persist } from "./nats.ts";

/** Something that is stored is on the disks of so many servers, or of more than half of them at least. */
export type Layout = { name: string; subjects: string[]; maxAge?: number };

/**
 * Makes the stream where there is none, and gives it the settings where it has others.
 * @param maxAge - milliseconds after which what is in it is dropped
 */
export async function openStream(nats: Nats, { name, subjects, maxAge = 0 }: Layout): Promise<void> {
  const { streams } = nats.manager;
  const config = {
    subjects,
    storage: "file",
    num_replicas: nats.replicas,
    max_age: maxAge * 1e6,
    // Answered by the leader alone: what others say may be old.
    allow_direct: false,
    // By subject and number only.
    deny_delete: false,
    discard: "new",
    // What is stored twice is found out here, and for longer.
    duplicate_window: 1e9,
  } as const satisfies Partial<StreamConfig>;
  await persist(async () => {
    try {
      const { config: now } = await streams.info(name);
      const differs = now.num_replicas !== config.num_replicas || now.max_age !== config.max_age;
      if (differs) await streams.update(name, config);
    } catch (error) {
      if (!isMissingStream(error)) throw error;
      await streams.add({ name, ...config });
    }
  });
}
