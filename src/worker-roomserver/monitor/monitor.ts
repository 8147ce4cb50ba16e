import type { PositionedEntry } from "../log/entry.ts";
import type { RoomForReaders } from "../room/api.ts";
import type { Storage } from "../storage/api.ts";
import type { Position } from "../storage/schema.ts";
import type { Sync } from "../sync/api.ts";
import type { LogPage, LogQuery, LogStatus, Monitor, NamedEntry, Statistics } from "./api.ts";

/** Entries that are looked at for one page. */
const LOOKED_AT = 5_000;
const BATCH = 500;

export type MonitorOptions = {
  storage: Storage;
  room: Pick<RoomForReaders, "presentEvents">;
  sync: Pick<Sync, "waiting">;
  /** Milliseconds since 1970. */
  now: () => number;
  startedTs: number;
  schemaVersion: number;
};

export class NodeMonitor implements Monitor {
  readonly #with: MonitorOptions;
  /** Ends each call that waits. */
  readonly #waits = new Map<string, () => void>();

  constructor(options: MonitorOptions) {
    this.#with = options;
  }

  async statistics(): Promise<Statistics> {
    const { storage, startedTs, schemaVersion } = this.#with;
    const stores = ["rooms", "events", "devices", "media"] as const;
    const [counts, space] = await Promise.all([
      storage.read([...stores], (tx) => Promise.all(stores.map((store) => tx.objectStore(store).count()))),
      spaceOfOrigin(),
    ]);
    const [rooms, events, devices, media] = counts as [number, number, number, number];
    return {
      started_ts: startedTs,
      epoch: storage.epoch,
      schema_version: schemaVersion,
      ...{ rooms, events, devices, media },
      ...(space && { storage: space }),
    };
  }

  async logStatus(): Promise<LogStatus> {
    const { storage, sync } = this.#with;
    const { names, offsets } = await storage.read(["readers"], async (tx) => {
      const store = tx.objectStore("readers");
      const [names, offsets] = await Promise.all([store.getAllKeys(), store.getAll()]);
      return { names, offsets };
    });
    const end = storage.position;
    return {
      end,
      start: storage.logStart,
      readers: names.map((name, i) => ({ name, offset: offsets[i]!, lag: Math.max(0, end - offsets[i]!) })),
      waiting_syncs: await sync.waiting(),
    };
  }

  async log(query: LogQuery, call: string): Promise<LogPage> {
    const page = await this.#page(query);
    const { storage } = this.#with;
    if (page.entries.length > 0 || query.timeout === 0 || page.next < storage.position) return page;
    await this.#entriesAfter(page.next, query, call);
    return { ...(await this.#page({ ...query, after: page.next })), trimmed: page.trimmed };
  }

  async cancel(call: string): Promise<void> {
    this.#waits.get(call)?.();
  }

  async #page({ after, limit, topic }: LogQuery): Promise<LogPage> {
    const { storage } = this.#with;
    const from = Math.max(after, storage.logStart);
    const most = Math.min(Math.max(1, limit), BATCH);
    const found: PositionedEntry[] = [];
    let next = Math.min(from, storage.position); // one who asks past the end is told where that is
    for (let lookedAt = 0; lookedAt < LOOKED_AT && found.length < most; ) {
      const entries = await storage.entriesAfter(next, BATCH);
      // It was trimmed a moment ago.
      if (entries === undefined) return this.#page({ after: next, limit, topic, timeout: 0 });
      if (entries.length === 0) break;
      lookedAt += entries.length;
      for (const entry of entries) {
        next = entry.position;
        if (topic === undefined || entry.topic === topic) found.push(entry);
        if (found.length === most) break;
      }
    }
    return { entries: await this.#named(found), next, trimmed: from > after };
  }

  async #named(entries: readonly PositionedEntry[]): Promise<NamedEntry[]> {
    const { storage, room: rooms } = this.#with;
    const nids = [...new Set(entries.map(({ event }) => event).filter((event) => event !== 0))];
    const events = await rooms.presentEvents(nids);
    const idOf = new Map(nids.map((nid, i) => [nid, events[i]?.eventId]));
    return Promise.all(
      entries.map(async ({ position, topic, room, user, event, detail }) => {
        const eventId = idOf.get(event);
        return {
          position,
          topic,
          ...(room !== 0 && { room_id: await storage.names.text(room) }),
          ...(user !== 0 && { user_id: await storage.names.text(user) }),
          ...(eventId !== undefined && { event_id: eventId }),
          ...(detail !== "" && { detail }),
        };
      }),
    );
  }

  /** Resolves once the log has an entry that is asked for, or the time is over, or nobody waits any more. */
  #entriesAfter(after: Position, { topic, timeout }: LogQuery, call: string): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        stop();
        this.#waits.delete(call);
        resolve();
      };
      const timer = setTimeout(end, timeout);
      const stop = this.#with.storage.onEntries((entries) => {
        const isNew = ({ position, topic: of }: PositionedEntry) =>
          position > after && (topic === undefined || of === topic);
        if (entries.some(isNew)) end();
      });
      this.#waits.set(call, end);
      // What came between the look and this is not told of any more.
      if (this.#with.storage.position > after) end();
    });
  }
}

/** Where there is a browser that tells. */
async function spaceOfOrigin(): Promise<Statistics["storage"]> {
  const { usage, quota } = (await globalThis.navigator?.storage?.estimate?.()) ?? {};
  return usage === undefined || quota === undefined ? undefined : { used: usage, granted: quota };
}
