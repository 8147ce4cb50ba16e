import type { RoomForReaders, StoredEvent } from "../../room/api.ts";
import type { Storage } from "../../storage/api.ts";
import { Lru } from "../../storage/lru.ts";
import type { Nid, Position } from "../../storage/schema.ts";

/** What of a room's state lists tell rooms apart by. */
export type RoomFacts = { type: string | null; encrypted: boolean; name: string };

/** Events that bring a room up in the lists of clients, as they are named by the proposal. */
const BUMPING: ReadonlySet<string> = new Set([
  "m.room.create",
  "m.room.message",
  "m.room.encrypted",
  "m.sticker",
  "m.call.invite",
  "m.poll.start",
  "org.matrix.msc3381.poll.start",
  "m.beacon_info",
  "org.matrix.msc3672.beacon_info",
]);
/** Events looked back for one that bumps; where there is none, the oldest that was looked at stands for it. */
const LOOKED_AT = 50;
/** Rooms of which something is remembered: some hundred bytes each. */
const ROOMS = 20_000;

/**
 * What lists ask of each room of a user at each request, in memory: the log says what has changed. Everything is loaded
 * on first use, with a few records a room.
 */
export class RoomFactsCache {
  readonly #rooms: RoomForReaders;
  readonly #activity = new Lru<Nid, Promise<Position>>(ROOMS);
  readonly #bumps = new Lru<Nid, { at: Position; bump: Promise<Position> }>(ROOMS);
  readonly #facts = new Lru<Nid, Promise<RoomFacts>>(ROOMS);

  constructor(storage: Storage, rooms: RoomForReaders) {
    this.#rooms = rooms;
    storage.onEntries((entries) => {
      for (const { topic, room, position } of entries) {
        if (topic === "room") this.#activity.set(room, Promise.resolve(position));
        else if (topic === "purge") this.#activity.delete(room);
        if (topic === "room" || topic === "state" || topic === "purge") this.#facts.delete(room);
      }
    });
    storage.onRollback(() => {
      for (const cache of [this.#activity, this.#bumps, this.#facts]) cache.clear();
    });
  }

  /** Where in the log the room's newest event is; 0 for a room without any. */
  activity(room: Nid): Promise<Position> {
    return remembered(this.#activity, room, async () => {
      const { events } = await this.#rooms.timeline(room, newest(Number.MAX_SAFE_INTEGER, 1));
      return Math.max(0, events[0]?.order ?? 0);
    });
  }

  /** Where in the log the newest event is, up to a position, that counts as activity for people. */
  async bump(room: Nid, upTo: Position): Promise<Position> {
    const at = Math.min(await this.activity(room), upTo);
    const known = this.#bumps.get(room);
    if (known?.at === at) return known.bump;
    const bump = this.#findBump(room, at);
    this.#bumps.set(room, { at, bump });
    bump.catch(() => this.#bumps.delete(room));
    return bump;
  }

  /** As of now. */
  facts(room: Nid): Promise<RoomFacts> {
    return remembered(this.#facts, room, () => this.#loadFacts(room));
  }

  async #findBump(room: Nid, upTo: Position): Promise<Position> {
    let limit = 5;
    for (;;) {
      const { events, limited } = await this.#rooms.timeline(room, newest(upTo, limit));
      const found =
        events.findLast(({ pdu }) => BUMPING.has(pdu.type)) ??
        (limit >= LOOKED_AT || !limited ? events[0] : undefined);
      if (found !== undefined) return Math.max(0, found.order);
      if (events.length === 0) return 0;
      limit = LOOKED_AT;
    }
  }

  async #loadFacts(room: Nid): Promise<RoomFacts> {
    const state = await this.#rooms.snapshotAt(room, Number.MAX_SAFE_INTEGER);
    const event = async (type: string): Promise<StoredEvent | undefined> => {
      const nid = await this.#rooms.stateEntry(state, type, "");
      return nid === undefined ? undefined : (await this.#rooms.events([nid]))[0];
    };
    const [create, encryption, name] = await Promise.all([
      event("m.room.create"),
      event("m.room.encryption"),
      event("m.room.name"),
    ]);
    return {
      type: textOr(create?.pdu.content.type, null),
      encrypted: encryption !== undefined,
      name: textOr(name?.pdu.content.name, ""),
    };
  }
}

const newest = (upTo: Position, limit: number) => ({ after: 0, upTo, limit });

function textOr<T>(value: unknown, other: T): string | T {
  return typeof value === "string" ? value : other;
}

function remembered<V>(cache: Lru<Nid, Promise<V>>, room: Nid, load: () => Promise<V>): Promise<V> {
  const known = cache.get(room);
  if (known !== undefined) return known;
  const loading = load();
  // The promise is what is kept, so that a change while it loads throws it out as well.
  cache.set(room, loading);
  loading.catch(() => cache.delete(room));
  return loading;
}
