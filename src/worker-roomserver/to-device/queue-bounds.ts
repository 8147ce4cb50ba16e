import type { Storage } from "../storage/api.ts";
import { Lru } from "../storage/lru.ts";
import { excess, MAX_QUEUE_WEIGHT } from "./bounds.ts";
import { type Device, deviceKey, rangeOfDevice } from "./device.ts";

/** A queue is looked at after this weight was put into it, so that most messages cost no look. */
const LOOK_EVERY = MAX_QUEUE_WEIGHT / 128;

/** Keeps what waits for a device within its bound; it may be over by `LOOK_EVERY` for each leader that there was. */
export class QueueBounds {
  readonly #storage: Storage;
  /** Weight put into queues since they were last looked at. */
  readonly #put = new Lru<string, number>(10_000);

  constructor(storage: Storage) {
    this.#storage = storage;
  }

  /**
   * Call it with what was stored. Whoever floods a queue waits for it to be cleared up. Cost: nothing for most messages,
   * else the keys of the device's queue. A failure is nobody's: the messages are stored, and the next look comes.
   */
  async sent(messages: readonly (Device & { weight: number })[]): Promise<void> {
    const due: Device[] = [];
    for (const { weight, ...device } of messages) {
      const key = deviceKey(device);
      const put = (this.#put.get(key) ?? 0) + weight;
      this.#put.set(key, put < LOOK_EVERY ? put : 0);
      if (put >= LOOK_EVERY) due.push(device);
    }
    try {
      for (const device of due) await this.#look(device);
    } catch (error) {
      console.warn("hearth: a queue of messages for a device could not be cut to its bound", error);
    }
  }

  async #look(device: Device): Promise<void> {
    const gone = excess(await this.#storage.getAllKeys("toDevice", rangeOfDevice(device)));
    if (gone.length === 0) return;
    await this.#storage.commit(
      (write) => {
        for (const key of gone) write.delete("toDevice", key);
      },
      { relaxed: true },
    );
  }
}
