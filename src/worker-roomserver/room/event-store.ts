import { authContent } from "../../matrix/auth-content.ts";
import { canonicalJson } from "../../matrix/canonical-json.ts";
import type { JsonObject } from "../../matrix/json.ts";
import type { Pdu } from "../../matrix/pdu.ts";
import { redact } from "../../matrix/redaction.ts";
import type { RoomVersionRules } from "../../matrix/room-versions.ts";
import type { Storage, Write } from "../storage/api.ts";
import { Lru } from "../storage/lru.ts";
import type { EventNid, EventRow, Nid } from "../storage/schema.ts";
import type { StoredEvent } from "./api.ts";

/** Of JSON text; parsed, an event takes a few times that. */
const CACHED_CHARACTERS = 16_000_000;

/** What the id of an event has before it that is not to be found by it. Ids begin with a `$`. */
const APART = "~";

/** An event that nobody asked for takes a fraction of a request of its own. */
const NEARBY = 4;

/** Ids that are remembered for not being there: those of a few transactions' events. */
const KEPT_ABSENT = 10_000;

type Cached = { event: StoredEvent; weight: number };

/** `isNew`: the disk knows nothing of the event yet, in whatever form. */
type Queued = Cached & { isNew: boolean };

/** Reads and writes single events. What has been queued for writing counts as written. */
export class EventStore {
  readonly #storage: Storage;
  readonly #cache = new Lru<EventNid, Cached>(CACHED_CHARACTERS, (cached) => cached.weight);
  readonly #nids = new Lru<string, EventNid>(100_000);
  /** Asked for in vain. What comes from elsewhere is looked for several times before it is there. */
  readonly #absent = new Lru<string, true>(KEPT_ABSENT);
  /** Counts what is queued, so that no event is taken for absent that came while it was looked for. */
  #puts = 0;
  /** Queued, and perhaps not on the disk yet: never looked for there. */
  readonly #queued = new Map<EventNid, Queued>();
  /** Rooms that have been purged, with the last number that any event of theirs had then. */
  readonly #purged = new Map<Nid, EventNid>();

  constructor(storage: Storage) {
    this.#storage = storage;
    storage.onRollback(() => {
      // What is durable stays known by its id: the store of events may not have it yet (`storedKeys`).
      for (const { event, isNew } of this.#queued.values()) if (isNew) this.#forgetId(event);
      this.#queued.clear();
      this.#cache.clear();
    });
  }

  /** Events in the order asked for. @throws if one is not there */
  async get(nids: readonly EventNid[]): Promise<StoredEvent[]> {
    const events = await this.#find(nids, () => true);
    return nids.map((nid, i) => {
      const event = events[i];
      if (event === undefined) throw new Error(`event ${nid} is named in the database but not in it`);
      return event;
    });
  }

  /**
   * The same for who follows the log, which names events of rooms that have since been purged: undefined for those,
   * and for what has been removed.
   */
  present(nids: readonly EventNid[]): Promise<(StoredEvent | undefined)[]> {
    return this.#find(nids, (row) => !this.#isPurged(row.r, row.n));
  }

  /** The room's events are about to be removed: those up to this number are not found by their ids any more. */
  purge(room: Nid, last: EventNid): void {
    this.#purged.set(room, last);
  }

  async getOne(nid: EventNid): Promise<StoredEvent> {
    return (await this.get([nid]))[0]!;
  }

  /** An event that is in memory, for those who cannot wait. */
  known(nid: EventNid): StoredEvent | undefined {
    return this.#inMemory(nid);
  }

  async byId(eventId: string): Promise<StoredEvent | undefined> {
    return (await this.byIds([eventId]))[0];
  }

  /** Events in the order asked for, undefined where there is none. One read each for those that are not in memory. */
  async byIds(eventIds: readonly string[]): Promise<(StoredEvent | undefined)[]> {
    const inMemory = eventIds.map((id) => this.#inMemoryById(id));
    const unknown = [...new Set(eventIds.filter((_, i) => inMemory[i] === undefined))];
    if (unknown.length === 0) return inMemory;
    // What was written of late is in memory: there is no need to wait until it is in the store as well.
    const keys = await Promise.all(unknown.map((id) => this.#nidsOf(id)));
    const rows = await this.#rows(keys.flat());
    const read = await this.fromRows(rows.filter((row) => !this.#isPurged(row.r, row.n)));
    const byId = new Map(read.map((event) => [event.eventId, event]));
    return eventIds.map((id, i) => inMemory[i] ?? this.#inMemoryById(id) ?? byId.get(id));
  }

  /**
   * Events as text, in the order asked for, from the disk: they are not parsed, and take no place in memory.
   * @returns undefined for one that has gone with its room
   */
  async texts(nids: readonly EventNid[]): Promise<(string | undefined)[]> {
    const rows = (await this.#rows(nids)).filter((row) => !this.#isPurged(row.r, row.n));
    const byNid = new Map(rows.map((row) => [row.n, row.json]));
    return nids.map((nid) => byNid.get(nid));
  }

  /** Events whose rows have been read already, in their order. */
  async fromRows(rows: readonly EventRow[]): Promise<StoredEvent[]> {
    const [roomIds, redactions, replaced] = await Promise.all([
      each(
        rows.map((row) => row.r),
        (room) => this.#storage.names.text(room),
      ),
      each(
        rows.flatMap((row) => row.x ?? []),
        (nid) => this.getOne(nid),
      ),
      each(
        rows.flatMap((row) => row.p ?? []),
        (nid) => this.#contentOf(nid),
      ),
    ]);
    // While the disk was read, a newer form may have been queued, or have come and gone.
    return rows.map(
      (row) =>
        this.#inMemory(row.n) ??
        this.#keep(row, {
          roomId: roomIds.get(row.r)!,
          redaction: row.x === undefined ? undefined : redactions.get(row.x),
          replaced: row.p === undefined ? undefined : replaced.get(row.p),
        }),
    );
  }

  /** Queues a new event. */
  insert(write: Write, event: StoredEvent, json: string): void {
    this.#put(write, event, json, true);
  }

  /** Queues that `target` is now its redacted form, for `redaction`. @returns that form */
  redact(write: Write, target: StoredEvent, redaction: StoredEvent, rules: RoomVersionRules): StoredEvent {
    const redacted = redactedEvent(target, redaction, rules);
    this.#tellOthers(redacted);
    this.#put(write, redacted, JSON.stringify(redacted.pdu), this.#isNew(target.nid));
    return redacted;
  }

  /** Queues what has changed about an event other than the event itself. */
  update(write: Write, event: StoredEvent): void {
    this.#put(write, event, JSON.stringify(event.pdu), this.#isNew(event.nid));
  }

  /** Queues that an event is not there any more. */
  remove(write: Write, event: StoredEvent): void {
    write.delete("events", event.nid);
    this.#queued.delete(event.nid);
    this.#cache.delete(event.nid);
    this.#forgetId(event);
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

  /**
   * Events in memory repeat what an event said that they took the place of, or were redacted by. Looks at all of them
   * if it is such a one.
   */
  #tellOthers(redacted: StoredEvent): void {
    const { nid, pdu } = redacted;
    if (pdu.state_key === undefined && pdu.type !== "m.room.redaction") return;
    const repeats = ({ event }: Cached) => event.replaces === nid || event.redaction?.nid === nid;
    const amended = (event: StoredEvent): StoredEvent => ({
      ...event,
      ...(event.replaces === nid && { replaced: replacedBy(redacted) }),
      ...(event.redaction?.nid === nid && { redaction: redacted }),
    });
    for (const [key, cached] of this.#cache.filter(repeats)) {
      this.#cache.set(key, { ...cached, event: amended(cached.event) });
    }
    for (const [key, queued] of this.#queued) {
      if (repeats(queued)) this.#queued.set(key, { ...queued, event: amended(queued.event) });
    }
  }

  #isNew(nid: EventNid): boolean {
    return this.#queued.get(nid)?.isNew ?? false;
  }

  #put(write: Write, event: StoredEvent, json: string, isNew: boolean): void {
    write.put("events", toRow(event, json));
    this.#queued.set(event.nid, { event, weight: json.length, isNew });
    if (event.isOutOfBand) return;
    this.#puts += 1;
    this.#absent.delete(event.eventId);
    this.#nids.set(event.eventId, event.nid);
  }

  /** The room's own copy of an event may be known as well as one that came without it. */
  #forgetId({ nid, eventId }: StoredEvent): void {
    if (this.#nids.get(eventId) === nid) this.#nids.delete(eventId);
  }

  async #nidsOf(eventId: string): Promise<EventNid[]> {
    const nid = this.#nids.get(eventId);
    if (nid !== undefined) return [nid];
    if (this.#absent.get(eventId) === true) return [];
    const puts = this.#puts;
    const stored = await this.#storage.storedKeys("events", "id", IDBKeyRange.only(eventId), 1);
    if (stored.length === 0 && puts === this.#puts) this.#absent.set(eventId, true);
    return stored;
  }

  /** @param wanted - which rows are looked at */
  async #find(
    nids: readonly EventNid[],
    wanted: (row: EventRow) => boolean,
  ): Promise<(StoredEvent | undefined)[]> {
    const known = nids.map((nid) => this.#inMemory(nid));
    if (known.every((event) => event !== undefined)) return known;
    const rows = await this.#rows(nids.filter((_, i) => known[i] === undefined));
    const byNid = new Map((await this.fromRows(rows.filter(wanted))).map((event) => [event.nid, event]));
    return nids.map((nid, i) => known[i] ?? byNid.get(nid));
  }

  #isPurged(room: Nid, nid: EventNid): boolean {
    return nid <= (this.#purged.get(room) ?? 0);
  }

  #inMemoryById(eventId: string): StoredEvent | undefined {
    const nid = this.#nids.get(eventId);
    return nid === undefined ? undefined : this.#inMemory(nid);
  }

  #inMemory(nid: EventNid): StoredEvent | undefined {
    const event = (this.#queued.get(nid) ?? this.#cache.get(nid))?.event;
    return event === undefined || this.#isPurged(event.room, nid) ? undefined : event;
  }

  /**
   * The rows of these events, and of some in between: events that came in together have nids close to each other,
   * and are read with one request.
   */
  async #rows(nids: readonly EventNid[]): Promise<EventRow[]> {
    const runs: { first: EventNid; last: EventNid }[] = [];
    for (const nid of [...nids].sort((a, b) => a - b)) {
      const run = runs.at(-1);
      if (run !== undefined && nid <= run.last + NEARBY) run.last = nid;
      else runs.push({ first: nid, last: nid });
    }
    const read = await Promise.all(
      runs.map(({ first, last }) => this.#storage.getAll("events", IDBKeyRange.bound(first, last))),
    );
    return read.flat();
  }

  #keep(
    row: EventRow,
    about: { roomId: string; redaction: StoredEvent | undefined; replaced: StoredEvent["replaced"] },
  ): StoredEvent {
    const { roomId, redaction, replaced } = about;
    const pdu = JSON.parse(row.json) as Pdu;
    const isLive = row.o !== "" && Number.isInteger(row.o);
    const isOutOfBand = row.k !== undefined;
    const event: StoredEvent = {
      nid: row.n,
      eventId: isOutOfBand ? row.id.slice(APART.length) : row.id,
      room: row.r,
      roomId,
      order: row.o === "" ? (row.k ?? 0) : -row.o,
      stateBefore: row.b,
      stateAfter: row.d ?? row.c,
      current: row.c,
      status: row.s ?? 0,
      reason: row.w ?? "",
      isOutlier: row.u === 1,
      ...(isOutOfBand && { isOutOfBand }),
      extremities: row.f ?? (isLive ? [row.n] : []),
      afterGap: row.g === 1,
      pdu,
      ...(row.q !== undefined && { authPdu: { ...pdu, content: JSON.parse(row.q) as JsonObject } }),
      redactedBy: redaction?.eventId ?? "",
      ...(redaction && { redaction }),
      replaces: row.p ?? 0,
      ...(replaced && { replaced }),
      sentBy: row.t ?? null,
    };
    // What was read while its room was purged must not come back.
    if (!this.#isPurged(row.r, row.n)) {
      this.#cache.set(row.n, { event, weight: row.json.length });
      if (!isOutOfBand) this.#nids.set(row.id, row.n);
    }
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

function redactedEvent(target: StoredEvent, redaction: StoredEvent, rules: RoomVersionRules): StoredEvent {
  const pdu = redact(target.pdu, rules) as Pdu;
  const content = authContent(target.pdu);
  const authPdu = content !== undefined && !isPartOf(content, pdu.content) ? { ...pdu, content } : undefined;
  return { ...target, pdu, ...(authPdu && { authPdu }), redactedBy: redaction.eventId, redaction };
}

function isPartOf(part: JsonObject, whole: JsonObject): boolean {
  const same = Object.fromEntries(Object.keys(part).map((name) => [name, whole[name] ?? null]));
  return canonicalJson(part, "lenient") === canonicalJson(same, "lenient");
}

/** What an event tells of the state event that it took the place of. */
export function replacedBy(event: StoredEvent): { eventId: string; content: JsonObject; sender: string } {
  return { eventId: event.eventId, content: event.pdu.content, sender: event.pdu.sender };
}

/** What is read for each of several keys, once for each that is there. */
async function each<K, V>(keys: readonly K[], read: (key: K) => Promise<V>): Promise<Map<K, V>> {
  const distinct = [...new Set(keys)];
  const values = await Promise.all(distinct.map(read));
  return new Map(distinct.map((key, i) => [key, values[i]!]));
}

function toRow(event: StoredEvent, json: string): EventRow {
  const { extremities, nid } = event;
  const isSole = extremities.length === 1 && extremities[0] === nid;
  return {
    n: nid,
    json,
    id: event.isOutOfBand ? `${APART}${event.eventId}` : event.eventId,
    r: event.room,
    ...placeOf(event),
    b: event.stateBefore,
    c: event.current,
    ...(event.stateAfter !== event.current && { d: event.stateAfter }),
    ...(!isSole && extremities.length > 0 && { f: [...extremities] }),
    ...(event.status !== 0 && { s: event.status, w: event.reason }),
    ...(event.isOutlier && { u: 1 }),
    ...(event.afterGap && { g: 1 }),
    ...(event.authPdu && { q: JSON.stringify(event.authPdu.content) }),
    ...(event.redaction && { x: event.redaction.nid }),
    ...(event.replaces !== 0 && { p: event.replaces }),
    ...(event.sentBy && { t: event.sentBy }),
  };
}

function placeOf({ order, pdu, isOutOfBand }: StoredEvent): Pick<EventRow, "o" | "k" | "ts"> {
  if (isOutOfBand) return { o: "", k: order };
  return order === 0 ? { o: "" } : { o: -order, ts: pdu.origin_server_ts };
}
