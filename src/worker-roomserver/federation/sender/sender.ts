import type { JsonObject } from "../../../matrix/json.ts";
import type { PositionedEntry } from "../../log/entry.ts";
import { DurableReader, type Effects } from "../../log/reader.ts";
import { Breath } from "../../node/breathe.ts";
import type { StoredEvent } from "../../room/api.ts";
import type { FederationForOwner, OutgoingEdu } from "../api.ts";
import type { FederationSender, SenderOptions } from "./api.ts";
import { EduBodies } from "./edu-bodies.ts";
import { forOwner } from "./for-owner.ts";
import { Lanes } from "./lanes.ts";
import { Line } from "./line.ts";
import { serversWithMessages, serversWithRows } from "./messages-waiting.ts";
import { Recipients } from "./recipients.ts";
import { RelaysOfServers } from "./relays-of-servers.ts";
import type { Waiting } from "./waiting.ts";

/** Key of the reader's offset. */
const READER = "federation sender";
/** What is said here is to be heard elsewhere at once. */
const GATHER_MS = 0;

/**
 * Follows the log, and sets down for each server what it is to be sent; its line sends that. What is set down is stored
 * with the reader's offset, so that an entry is either still to be looked at or has its rows.
 */
export class LogSender implements FederationSender {
  readonly forOwner: FederationForOwner;
  readonly #with: SenderOptions;
  readonly #recipients: Recipients;
  readonly #bodies: EduBodies;
  readonly #relays: RelaysOfServers;
  readonly #lines = new Map<string, Line>();
  readonly #makeLine: (server: string) => Line;
  #reader: DurableReader | undefined;
  #stopListening: () => void = () => undefined;
  #isClosed = false;

  constructor(options: SenderOptions) {
    const { storage, room, roomQueries, edus, destinations } = options;
    this.#with = options;
    this.#recipients = new Recipients(options);
    this.#bodies = new EduBodies(storage);
    this.#relays = new RelaysOfServers(options);
    const lineOptions = {
      ...options,
      sources: { room, roomQueries, edus, bodies: this.#bodies },
      lanes: new Lanes(),
      relays: this.#relays,
      newTransactionId: transactionIds(options),
      assumedOfflineAfter: options.assumedOfflineAfter ?? 1,
    };
    this.#makeLine = (server) => new Line(lineOptions, server);
    this.forOwner = forOwner({ storage, destinations, relays: this.#relays, lines: this.#lines });
  }

  async start(): Promise<void> {
    const { storage, destinations } = this.#with;
    const [rows, messages] = await Promise.all([serversWithRows(storage), serversWithMessages(storage)]);
    if (this.#isClosed) return;
    this.#stopListening = destinations.onReady((server) => this.#lines.get(server)?.wake());
    for (const server of rows) this.#line(server).wake();
    for (const server of messages) {
      this.#line(server).messagesCame();
      this.#line(server).wake();
    }
    this.#reader = new DurableReader({
      storage,
      name: READER,
      gatherMs: GATHER_MS,
      handle: (entries) => this.#handle(entries),
      reset: () => this.#reset(),
    });
  }

  learnRelays(serverName: string, document: JsonObject): Promise<void> {
    return this.#relays.learn(serverName, document);
  }

  close(): void {
    this.#isClosed = true;
    this.#stopListening();
    this.#reader?.stop();
    for (const line of this.#lines.values()) line.stop();
  }

  #line(server: string): Line {
    const line = this.#lines.get(server) ?? this.#makeLine(server);
    this.#lines.set(server, line);
    return line;
  }

  #reset(): void {
    this.#recipients.reset();
    for (const line of this.#lines.values()) {
      line.forget();
      line.wake();
    }
  }

  async #handle(entries: readonly PositionedEntry[]): Promise<Effects | undefined> {
    const inRooms = entries.filter(({ topic }) => topic === "room");
    const events = await this.#with.room.presentEvents(inRooms.map(({ event }) => event));
    const byPosition = new Map(inRooms.map(({ position }, i) => [position, events[i]]));
    const changed = new Map<string, Waiting>();
    const woken = new Set<string>();
    const breath = new Breath();
    for (const entry of entries) {
      await this.#event(entry, byPosition.get(entry.position), changed);
      for (const [i, edu] of (await this.#with.edus.of(entry)).entries()) {
        await this.#edu(entry, i + 1, edu, { changed, woken });
      }
      if (entry.topic === "toDevice" && entry.user === 0) {
        this.#line(entry.detail).messagesCame();
        woken.add(entry.detail);
      }
      await breath.take();
    }
    for (const server of [...changed.keys(), ...woken]) this.#lines.get(server)?.wake();
    if (changed.size === 0) return undefined;
    // What has been sent by the time that this is written is not written.
    return (write) => {
      for (const waiting of changed.values()) waiting.save(write);
    };
  }

  async #event(
    entry: PositionedEntry,
    event: StoredEvent | undefined,
    changed: Map<string, Waiting>,
  ): Promise<void> {
    if (event === undefined) return;
    for (const server of await this.#recipients.of(entry, event)) {
      const waiting = await this.#line(server).waiting();
      waiting.addPdu(entry.position, event.nid, event.room);
      changed.set(server, waiting);
    }
  }

  async #edu(
    { position }: PositionedEntry,
    n: number,
    { edu, servers, key, durable }: OutgoingEdu,
    { changed, woken }: { changed: Map<string, Waiting>; woken: Set<string> },
  ): Promise<void> {
    const json = durable ? JSON.stringify(edu) : "";
    if (durable) this.#bodies.add({ position, n }, json);
    for (const server of servers) {
      if (durable) {
        const waiting = await this.#line(server).waiting();
        waiting.addEdu(position, n, json, key);
        changed.set(server, waiting);
      } else if (await this.#with.destinations.isReady(server)) {
        // Whoever is away is not told afterwards who was typing.
        this.#line(server).addEphemeral(edu, key);
        woken.add(server);
      }
    }
  }
}

/**
 * Ids that were never used before, also under the leaders before and in a database that was put back to how it was: who
 * gets one twice answers as it did the first time, and reads nothing.
 */
function transactionIds({ storage, now, random }: SenderOptions): () => string {
  const leader = `${storage.epoch}-${now()}-${Math.floor(random() * 2 ** 32).toString(36)}`;
  let count = 0;
  return () => {
    count += 1;
    return `${leader}-${count}`;
  };
}
