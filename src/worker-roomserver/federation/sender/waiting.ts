import type { Storage, Write } from "../../storage/api.ts";
import type { EventNid, HearthSchema, Nid, OutgoingRow, Position } from "../../storage/schema.ts";

type OutgoingKey = HearthSchema["outgoing"]["key"];

/** An event that waits. `isCatchUp`: earlier ones of the room were left out, and this one stands for them. */
export type WaitingPdu = { position: Position; event: EventNid; room: Nid; isCatchUp: boolean };
/** An EDU that waits and must not be lost; its body is in its row. */
export type WaitingEdu = { position: Position; n: number; key: string | undefined };

/** Events that wait for one server one by one; past that, only the newest of each room does. */
export const MOST_PDUS = 500;
/**
 * EDUs that wait for one server, past which the oldest go. Those who miss some of a device list find the gap in its
 * numbers; others have a key, and with it their number is bound anyway.
 */
export const MOST_EDUS = 500;

/** What one server is still to be sent, in the order of the log: numbers, not bodies. What changes is kept to be saved. */
export class Waiting {
  readonly server: string;
  readonly #pdus = new Map<Position, WaitingPdu>();
  readonly #edus = new Map<string, WaitingEdu>();
  readonly #edusByKey = new Map<string, WaitingEdu>();
  /** The events that stand for earlier ones, by room. */
  readonly #catchUps = new Map<Nid, WaitingPdu>();
  readonly #unsaved = new Map<string, { key: OutgoingKey; row: OutgoingRow | undefined }>();
  #thinAt = MOST_PDUS;

  private constructor(server: string) {
    this.server = server;
  }

  /** One range of rows. */
  static async load(storage: Storage, server: string): Promise<Waiting> {
    const range = IDBKeyRange.bound([server], [server, []]);
    const [keys, rows] = await storage.read(["outgoing"], (tx) => {
      const store = tx.objectStore("outgoing");
      return Promise.all([store.getAllKeys(range), store.getAll(range)]);
    });
    const waiting = new Waiting(server);
    rows.forEach((row, i) => {
      const [, position, n] = keys[i]!;
      if ("edu" in row) waiting.#keepEdu({ position, n, key: row.k });
      else waiting.#keepPdu({ position, event: row.e, room: row.r, isCatchUp: row.s === 1 });
    });
    return waiting;
  }

  get pdus(): Iterable<WaitingPdu> {
    return this.#pdus.values();
  }

  get edus(): Iterable<WaitingEdu> {
    return this.#edus.values();
  }

  get count(): { pdus: number; edus: number } {
    return { pdus: this.#pdus.size, edus: this.#edus.size };
  }

  get isEmpty(): boolean {
    return this.#pdus.size + this.#edus.size === 0;
  }

  /** Whether of some room only the newest event is to be sent. */
  get isCatchingUp(): boolean {
    return this.#catchUps.size > 0;
  }

  hasPdu({ position }: WaitingPdu): boolean {
    return this.#pdus.has(position);
  }

  hasEdu(edu: WaitingEdu): boolean {
    return this.#edus.has(nameOf(edu));
  }

  /** Events come in the order of the log; one that waits already changes nothing. */
  addPdu(position: Position, event: EventNid, room: Nid): void {
    if (this.#pdus.has(position)) return;
    const before = this.#catchUps.get(room);
    if (before !== undefined) this.#removePdu(before);
    this.#savePdu({ position, event, room, isCatchUp: before !== undefined });
    if (this.#pdus.size > this.#thinAt) this.thin();
  }

  /** One with a key takes the place of an earlier one that has it. */
  addEdu(position: Position, n: number, json: string, key: string | undefined): void {
    const edu = { position, n, key };
    if (this.hasEdu(edu)) return;
    const before = key === undefined ? undefined : this.#edusByKey.get(key);
    if (before !== undefined) this.#removeEdu(before);
    this.#keepEdu(edu);
    this.#change([position, n], { edu: json, ...(key !== undefined && { k: key }) });
    for (const oldest of this.#edus.values()) {
      if (this.#edus.size <= MOST_EDUS) break;
      this.#removeEdu(oldest);
    }
  }

  /** Of each room only the newest event waits from now on. */
  thin(): void {
    const newest = new Map<Nid, WaitingPdu>();
    for (const pdu of [...this.#pdus.values()]) {
      const before = newest.get(pdu.room);
      if (before !== undefined) this.#removePdu(before);
      newest.set(pdu.room, { ...pdu, isCatchUp: pdu.isCatchUp || before !== undefined });
    }
    for (const pdu of newest.values()) if (pdu.isCatchUp) this.#savePdu(pdu);
    // Where a server shares more rooms than that, it is not gone through for each event.
    this.#thinAt = Math.max(MOST_PDUS, 2 * this.#pdus.size);
  }

  /** The server has these, or they will never be sent. */
  done(pdus: readonly WaitingPdu[], edus: readonly WaitingEdu[]): void {
    for (const pdu of pdus) this.#removePdu(pdu);
    for (const edu of edus) this.#removeEdu(edu);
  }

  /** Puts all that has changed since the last time into a unit. */
  save(write: Write): void {
    for (const { key, row } of this.#unsaved.values()) {
      if (row === undefined) write.delete("outgoing", key);
      else write.put("outgoing", row, key);
    }
    this.#unsaved.clear();
  }

  #keepPdu(pdu: WaitingPdu): void {
    this.#pdus.set(pdu.position, pdu);
    if (pdu.isCatchUp) this.#catchUps.set(pdu.room, pdu);
  }

  #savePdu(pdu: WaitingPdu): void {
    this.#keepPdu(pdu);
    const { position, event, room, isCatchUp } = pdu;
    this.#change([position, 0], { e: event, r: room, ...(isCatchUp && { s: 1 }) });
  }

  #removePdu({ position, room }: WaitingPdu): void {
    if (!this.#pdus.delete(position)) return;
    if (this.#catchUps.get(room)?.position === position) this.#catchUps.delete(room);
    this.#change([position, 0], undefined);
  }

  #keepEdu(edu: WaitingEdu): void {
    this.#edus.set(nameOf(edu), edu);
    if (edu.key !== undefined) this.#edusByKey.set(edu.key, edu);
  }

  #removeEdu(edu: WaitingEdu): void {
    const { position, n, key } = edu;
    if (!this.#edus.delete(nameOf(edu))) return;
    if (key !== undefined && this.#edusByKey.get(key)?.position === position) this.#edusByKey.delete(key);
    this.#change([position, n], undefined);
  }

  #change([position, n]: [Position, number], row: OutgoingRow | undefined): void {
    this.#unsaved.set(nameOf({ position, n }), { key: [this.server, position, n], row });
  }
}

/** `n` is 0 for the event of an entry, and counts its EDUs from 1. */
export const nameOf = ({ position, n }: { position: Position; n: number }) => `${position} ${n}`;
