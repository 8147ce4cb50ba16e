import type { AuthEvent } from "../../matrix/auth-rules/auth-event.ts";
import { notFound, unknown } from "../../matrix/errors.ts";
import { type RoomVersionRules, roomVersionRules } from "../../matrix/room-versions.ts";
import type { Generation, Storage } from "../storage/api.ts";
import { Lru } from "../storage/lru.ts";
import type { EventNid, Nid, SnapshotNid } from "../storage/schema.ts";
import type { StoredEvent } from "./api.ts";
import { entryKey } from "./entry-key.ts";
import type { EventStore } from "./event-store.ts";
import { eventsBackward } from "./query/timeline.ts";
import type { RecentEvents } from "./recent-events.ts";
import type { SnapshotChain, SnapshotStore } from "./snapshots.ts";

/** Current state entries that a head keeps at hand; past that it starts anew. */
const KEPT_ENTRIES = 2_000;

/** What all heads may weigh: entries of their states, and the events that they have at hand. */
const KEPT_WEIGHT = 1_000_000;
/** An event takes as much memory as so many entries of a state. */
const EVENT_WEIGHT = 40;

/** Rooms whose version is at hand. */
const KEPT_VERSIONS = 10_000;

/** An event that nothing is built upon yet. */
export type Extremity = AuthEvent & { nid: EventNid; stateAfter: SnapshotNid };

/**
 * Where a room stands: what the next event builds on. It runs ahead of the disk by what is queued, so it is
 * void once a commit has failed (`generation`). Changed only by the room's writer, which holds the room's lock.
 */
export class RoomHead {
  readonly nid: Nid;
  readonly roomId: string;
  readonly rules: RoomVersionRules;
  readonly generation: Generation;
  extremities: Extremity[] = [];
  /** That of the newest event in the timeline. */
  order = 0;
  current: SnapshotChain;
  readonly #entries = new Map<string, StoredEvent | undefined>();
  readonly #read: (nid: EventNid) => Promise<StoredEvent>;
  readonly #storage: Storage;

  constructor(
    room: {
      nid: Nid;
      roomId: string;
      rules: RoomVersionRules;
      generation: Generation;
      current: SnapshotChain;
    },
    storage: Storage,
    read: (nid: EventNid) => Promise<StoredEvent>,
  ) {
    this.nid = room.nid;
    this.roomId = room.roomId;
    this.rules = room.rules;
    this.generation = room.generation;
    this.current = room.current;
    this.#storage = storage;
    this.#read = read;
  }

  /** The greatest depth of what the next event builds on. */
  get depth(): number {
    return Math.max(0, ...this.extremities.map(({ pdu }) => pdu.depth));
  }

  /** What it takes to keep it, in entries of a state. */
  get weight(): number {
    return this.current.weight + EVENT_WEIGHT * (1 + this.extremities.length + this.#entries.size);
  }

  /** An entry of the current state. From memory once it was asked for. */
  async state(type: string, stateKey: string): Promise<StoredEvent | undefined> {
    const key = entryKey(type, stateKey);
    if (this.#entries.has(key)) return this.#entries.get(key);
    const [typeNid, keyNid] = await Promise.all([
      this.#storage.names.find(type),
      this.#storage.names.find(stateKey),
    ]);
    const nid = typeNid && keyNid ? this.current.entry(typeNid, keyNid) : undefined;
    const event = nid === undefined ? undefined : await this.#read(nid);
    if (!this.#entries.has(key)) this.#keep(key, event);
    return this.#entries.get(key);
  }

  /** Notes what stands in the current state from now on. */
  setState(type: string, stateKey: string, event: StoredEvent | undefined): void {
    this.#keep(entryKey(type, stateKey), event);
  }

  /** An entry that `state` has been asked for before, for those who cannot wait. */
  known(type: string, stateKey: string): StoredEvent | undefined {
    return this.#entries.get(entryKey(type, stateKey));
  }

  /** The event has been redacted: it is read anew when it is asked for next. */
  redacted(nid: EventNid): void {
    for (const [key, event] of this.#entries) if (event?.nid === nid) this.#entries.delete(key);
  }

  #keep(key: string, event: StoredEvent | undefined): void {
    if (this.#entries.size >= KEPT_ENTRIES) this.#entries.clear();
    this.#entries.set(key, event);
  }
}

/** The heads of the rooms in use. */
export class RoomHeads {
  readonly #parts: { storage: Storage; events: EventStore; recent: RecentEvents; snapshots: SnapshotStore };
  readonly #heads = new Lru<string, RoomHead>(KEPT_WEIGHT, (head) => head.weight);
  /** A room has one version for life. */
  readonly #versions = new Lru<Nid, RoomVersionRules>(KEPT_VERSIONS);
  /** Counts rooms that have ended, so that no version is kept that was read before that. */
  #drops = 0;

  constructor(parts: {
    storage: Storage;
    events: EventStore;
    recent: RecentEvents;
    snapshots: SnapshotStore;
  }) {
    this.#parts = parts;
    parts.storage.onRollback(() => this.#heads.clear());
  }

  /** @throws MatrixError M_NOT_FOUND if the room is not known here */
  async get(roomId: string): Promise<RoomHead> {
    const head = await this.find(roomId);
    if (head === undefined) throw notFound("This server does not know the room.");
    return head;
  }

  /** The head as it stands, for reading; undefined if the room is not known here. */
  async find(roomId: string): Promise<RoomHead | undefined> {
    return this.#known(roomId) ?? (await this.#load(roomId));
  }

  /** For the room's writer, in its lock: from here on the head in memory is what counts. */
  async own(roomId: string): Promise<RoomHead> {
    const known = this.#known(roomId);
    if (known !== undefined) return known;
    const head = await this.get(roomId);
    this.#heads.set(roomId, head);
    return head;
  }

  /** The head of a room that is about to be made. */
  fresh(nid: Nid, roomId: string, rules: RoomVersionRules, empty: SnapshotChain): RoomHead {
    const { storage, events } = this.#parts;
    const { generation } = storage;
    return new RoomHead({ nid, roomId, rules, generation, current: empty }, storage, (event) =>
      events.getOne(event),
    );
  }

  /** The room is not there any more, once the unit that is being filled is written. */
  drop(roomId: string, nid: Nid): void {
    this.#drops += 1;
    this.#heads.delete(roomId);
    this.#versions.delete(nid);
  }

  keep(head: RoomHead): void {
    this.#heads.set(head.roomId, head);
  }

  #known(roomId: string): RoomHead | undefined {
    const head = this.#heads.get(roomId);
    if (head !== undefined) this.#heads.set(roomId, head); // it may weigh more by now
    return head;
  }

  async #load(roomId: string): Promise<RoomHead | undefined> {
    const { storage, snapshots, events } = this.#parts;
    const nid = await storage.names.find(roomId);
    if (nid === undefined) return undefined;
    const drops = this.#drops;
    await storage.settled();
    const { generation } = storage;
    const rules = this.#versions.get(nid) ?? (await this.#readVersion(nid));
    if (rules === undefined) return undefined;
    if (drops === this.#drops) this.#versions.set(nid, rules);
    const [newest] = await eventsBackward(this.#parts, nid, { from: Number.POSITIVE_INFINITY, count: 1 });
    if (newest === undefined) throw unknown("The room has no events: its data is damaged.");
    const head = this.fresh(nid, roomId, rules, await snapshots.chain(newest.current));
    if (head.generation !== generation) return this.#load(roomId);
    head.extremities = await events.get(newest.extremities);
    head.order = newest.order;
    return head;
  }

  async #readVersion(nid: Nid): Promise<RoomVersionRules | undefined> {
    const row = await this.#parts.storage.get("rooms", nid);
    if (row === undefined) return undefined;
    const rules = roomVersionRules(row.version);
    if (rules !== undefined) return rules;
    throw unknown(`The room has the version ${row.version}, which is not known here.`);
  }
}
