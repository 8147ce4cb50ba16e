import type { JsonObject } from "../../matrix/json.ts";
import type { Pdu } from "../../matrix/pdu.ts";
import { redact } from "../../matrix/redaction.ts";
import type { RoomVersionRules } from "../../matrix/room-versions.ts";
import type { Storage, Write } from "../storage/api.ts";
import { Lru } from "../storage/lru.ts";
import type { EventNid, EventRow } from "../storage/schema.ts";
import type { StoredEvent } from "./api.ts";

/** Of JSON text; parsed, an event takes a few times that. */
const CACHED_CHARACTERS = 16_000_000;

type Cached = { event: StoredEvent; weight: number };

/** Reads and writes single events. What has been queued for writing counts as written. */
export class EventStore {
  readonly #storage: Storage;
  readonly #cache = new Lru<EventNid, Cached>(CACHED_CHARACTERS, (cached) => cached.weight);
  readonly #nids = new Lru<string, EventNid>(100_000);
  /** Queued, and perhaps not on the disk yet: never looked for there. */
  readonly #queued = new Map<EventNid, Cached>();

  constructor(storage: Storage) {
    this.#storage = storage;
    storage.onRollback(() => {
      this.#queued.clear();
      this.#cache.clear();
      this.#nids.clear();
    });
  }

  /** Events in the order asked for, those that are not in memory with one read each. @throws if one is not there */
  get(nids: readonly EventNid[]): Promise<StoredEvent[]> {
    return Promise.all(nids.map((nid) => this.#inMemory(nid) ?? this.#load(nid)));
  }

  async getOne(nid: EventNid): Promise<StoredEvent> {
    return this.#inMemory(nid) ?? this.#load(nid);
  }

  /** An event that is in memory, for those who cannot wait. */
  known(nid: EventNid): StoredEvent | undefined {
    return this.#inMemory(nid);
  }

  async byId(eventId: string): Promise<StoredEvent | undefined> {
    const nid = this.#nids.get(eventId);
    if (nid !== undefined) return this.getOne(nid);
    const [row] = await this.#storage.fromIndex("events", "id", IDBKeyRange.only(eventId), 1);
    return row && this.#fromRow(row);
  }

  /** Events whose rows have been read already, in their order. */
  fromRows(rows: readonly EventRow[]): Promise<StoredEvent[]> {
    return Promise.all(rows.map((row) => this.#inMemory(row.n) ?? this.#fromRow(row)));
  }

  /** Queues a new event. */
  insert(write: Write, event: StoredEvent, json: string): void {
    this.#put(write, event, json);
  }

  /** Queues that `target` is now its redacted form, for `redaction`. */
  redact(write: Write, target: StoredEvent, redaction: StoredEvent, rules: RoomVersionRules): void {
    const pdu = redact(target.pdu, rules) as Pdu;
    const redacted: StoredEvent = { ...target, pdu, redactedBy: redaction.eventId, redaction };
    this.#put(write, redacted, JSON.stringify(pdu));
  }

  /** What was queued in this unit is on the disk, or has failed: called when its commit has settled. */
  settled(nids: readonly EventNid[], durable: boolean): void {
    for (const nid of nids) {
      const cached = this.#queued.get(nid);
      if (cached === undefined) continue;
      this.#queued.delete(nid);
      if (durable) this.#cache.set(nid, cached);
    }
  }

  #put(write: Write, event: StoredEvent, json: string): void {
    write.put("events", toRow(event, json));
    this.#queued.set(event.nid, { event, weight: json.length });
    this.#nids.set(event.eventId, event.nid);
  }

  #inMemory(nid: EventNid): StoredEvent | undefined {
    return (this.#queued.get(nid) ?? this.#cache.get(nid))?.event;
  }

  async #load(nid: EventNid): Promise<StoredEvent> {
    const row = await this.#storage.get("events", nid);
    if (row === undefined) throw new Error(`event ${nid} is named in the database but not in it`);
    return this.#fromRow(row);
  }

  async #fromRow(row: EventRow): Promise<StoredEvent> {
    const [roomId, redaction, replaced] = await Promise.all([
      this.#storage.names.text(row.r),
      row.x === undefined ? undefined : this.getOne(row.x),
      row.p === undefined ? undefined : this.#contentOf(row.p),
    ]);
    const event: StoredEvent = {
      nid: row.n,
      eventId: row.id,
      room: row.r,
      roomId,
      order: -row.o,
      stateBefore: row.b,
      current: row.c,
      status: row.s ?? 0,
      pdu: JSON.parse(row.json) as Pdu,
      redactedBy: redaction?.eventId ?? "",
      ...(redaction && { redaction }),
      replaces: row.p ?? 0,
      ...(replaced && { replaced }),
      sentBy: row.t ?? null,
    };
    // While the disk was read, a newer form may have been queued, or have come and gone.
    const newer = this.#inMemory(row.n);
    if (newer !== undefined) return newer;
    this.#cache.set(row.n, { event, weight: row.json.length });
    this.#nids.set(row.id, row.n);
    return event;
  }

  /** Not the whole event: that would bring in its predecessor, and so on to the first. */
  async #contentOf(nid: EventNid): Promise<{ eventId: string; content: JsonObject; sender: string }> {
    const known = this.#inMemory(nid);
    if (known !== undefined) return replacedBy(known);
    const row = await this.#storage.get("events", nid);
    if (row === undefined) throw new Error(`event ${nid} is named in the database but not in it`);
    const pdu = JSON.parse(row.json) as Pdu;
    return { eventId: row.id, content: pdu.content, sender: pdu.sender };
  }
}

/** What an event tells of the state event that it took the place of. */
export function replacedBy(event: StoredEvent): { eventId: string; content: JsonObject; sender: string } {
  return { eventId: event.eventId, content: event.pdu.content, sender: event.pdu.sender };
}

function toRow(event: StoredEvent, json: string): EventRow {
  return {
    n: event.nid,
    json,
    id: event.eventId,
    r: event.room,
    o: -event.order,
    b: event.stateBefore,
    c: event.current,
    ...(event.status !== 0 && { s: event.status }),
    ...(event.redaction && { x: event.redaction.nid }),
    ...(event.replaces !== 0 && { p: event.replaces }),
    ...(event.sentBy && { t: event.sentBy }),
  };
}
