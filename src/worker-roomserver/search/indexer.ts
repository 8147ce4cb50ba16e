import { isJsonObject } from "../../matrix/json.ts";
import { relationOf } from "../../matrix/threads.ts";
import type { PositionedEntry } from "../log/entry.ts";
import type { Effects } from "../log/reader.ts";
import { Breath } from "../node/breathe.ts";
import type { StoredEvent } from "../room/api.ts";
import { Lru } from "../storage/lru.ts";
import type { EventNid, Nid, SearchState, SnapshotNid } from "../storage/schema.ts";
import type { BlockStore } from "./block-store.ts";
import { AT, documentsIn, encodeDocument, keyOf, TYPES, textsOf } from "./documents.ts";
import type { SearchOptions } from "./options.ts";

/** Of what is in the index. Raise it with any change of words.ts or documents.ts: the index is then made anew. */
const VERSION = 1;

/** Events that are read at once when the index is made. */
const BUILT_AT_ONCE = 500;
/** Events after which what was made goes to the disk, so that not all of an index gathers in memory. */
const BUILT_BETWEEN_FLUSHES = 5_000;
/** Blocks that are looked through at once. */
const READ_AT_ONCE = 64;

type Options = Pick<SearchOptions, "storage" | "room"> & { blocks: BlockStore };

/**
 * Keeps the documents of the index as events, edits and redactions have them. A document is made from what is stored, not
 * from what an entry says: handling an entry again, or late, changes nothing.
 */
export class Indexer {
  readonly #options: Options;
  readonly #isShared = new Lru<SnapshotNid, boolean>(1_000);
  #built: Promise<void> | undefined;
  /** Counts what has made memory void: what was begun before must not go on. */
  #life = 0;

  constructor(options: Options) {
    this.#options = options;
    options.storage.onRollback(() => {
      this.#life += 1;
    });
  }

  reset(): void {
    this.#life += 1;
    this.#built = undefined;
    this.#options.blocks.reset();
  }

  /** Resolves when all events are in the index that were there before it followed the log. */
  built(): Promise<void> {
    if (this.#built !== undefined) return this.#built;
    const built = this.#build();
    this.#built = built;
    built.catch(() => {
      if (this.#built === built) this.#built = undefined; // whoever asks next tries again
    });
    return built;
  }

  async handle(entries: readonly PositionedEntry[]): Promise<Effects | undefined> {
    await this.built();
    let events: EventNid[] = [];
    let isChanged = false;
    for (const { topic, room, event } of entries) {
      if (topic === "room" || topic === "history") events.push(event);
      if (topic !== "purge") continue;
      await this.#index(events);
      events = [];
      await this.#options.blocks.remove(room);
      isChanged = true;
    }
    if (await this.#index(events)) isChanged = true;
    // The offset goes along with what was changed. It is behind the blocks, which may be written again.
    return isChanged ? () => undefined : undefined;
  }

  async #build(): Promise<void> {
    const { storage, room, blocks } = this.#options;
    const life = this.#life;
    const stored = (await storage.get("meta", "search")) as SearchState | undefined;
    let state = stored;
    if (state?.version !== VERSION) {
      state = { version: VERSION, upTo: 0, end: storage.numbers.eventNid };
      await storage.commit(
        (write) => {
          write.delete("searchBlocks", IDBKeyRange.bound([0], [Number.POSITIVE_INFINITY]));
          write.put("meta", state, "search");
        },
        { relaxed: true },
      );
      blocks.reset();
    }
    let unflushed = 0;
    while (state.upTo < state.end) {
      const range = IDBKeyRange.bound(state.upTo + 1, state.end);
      const nids = await storage.getAllKeys("events", range, BUILT_AT_ONCE);
      // As events are now: of those that relate to others, these say it all.
      await this.#write(await room.presentEvents(nids));
      if (life !== this.#life) throw new Error("The index for search is begun anew.");
      const upTo = nids.length < BUILT_AT_ONCE ? state.end : nids.at(-1)!;
      const now: SearchState = { ...state, upTo };
      state = now;
      // After the blocks, and in the same order on the disk. That it failed is told by the storage.
      storage.commit((write) => write.put("meta", now, "search"), { lazy: true }).catch(() => undefined);
      unflushed += nids.length;
      if (unflushed < BUILT_BETWEEN_FLUSHES && upTo < state.end) continue;
      await storage.flushed();
      unflushed = 0;
    }
  }

  /** Brings the documents up to date that these events have to do with. @returns whether there may be any */
  async #index(nids: readonly EventNid[]): Promise<boolean> {
    const concerned = new Map<EventNid, StoredEvent>();
    for (const event of await this.#options.room.presentEvents([...new Set(nids)])) {
      if (event === undefined) continue;
      for (const one of await this.#concerned(event)) concerned.set(one.nid, one);
    }
    for (const [room, events] of byRoom(concerned.values())) {
      for (const original of await this.#editedBy(room, events)) concerned.set(original.nid, original);
    }
    await this.#write([...concerned.values()]);
    return concerned.size > 0;
  }

  /** Puts the documents of these events into the index, or takes them out. */
  async #write(events: readonly (StoredEvent | undefined)[]): Promise<void> {
    const searched = events.filter((event) => event !== undefined && isOfSearchedType(event));
    for (const [room, inRoom] of byRoom(searched as StoredEvent[])) {
      await this.#options.blocks.change(room, await this.#documents(inRoom));
    }
  }

  /** The events whose documents may be others because of an event: itself, what it edits, what it redacts. */
  async #concerned(event: StoredEvent): Promise<StoredEvent[]> {
    const { pdu } = event;
    if (pdu.type === "m.room.redaction") return this.#inRoom(event, pdu.redacts ?? pdu.content.redacts);
    if (!isOfSearchedType(event)) return [];
    const relation = relationOf(pdu.content);
    if (relation?.rel_type !== "m.replace") return [event];
    return this.#inRoom(event, relation.event_id);
  }

  async #inRoom({ room }: StoredEvent, eventId: unknown): Promise<StoredEvent[]> {
    const event = typeof eventId === "string" ? await this.#options.room.eventById(eventId) : undefined;
    return event?.room === room && isOfSearchedType(event) ? [event] : [];
  }

  /**
   * Events whose text is that of an edit which has been redacted. Of which event it was the edit a redacted one does not
   * say any more: this goes through the room's documents, if there is an event among them that could have been one.
   */
  async #editedBy(room: Nid, events: readonly StoredEvent[]): Promise<StoredEvent[]> {
    const { blocks } = this.#options;
    const redacted = new Set(events.filter(({ redactedBy }) => redactedBy !== "").map(({ nid }) => nid));
    if (redacted.size === 0) return [];
    const originals: EventNid[] = [];
    const breath = new Breath();
    const layout = await blocks.layout(room);
    for (let at = 0; at < layout.length; at += READ_AT_ONCE) {
      for (const block of await blocks.read(room, layout.slice(at, at + READ_AT_ONCE))) {
        for (const document of documentsIn(block)) {
          if (redacted.has(document[AT.edit]!)) originals.push(document[AT.nid]!);
        }
      }
      await breath.take();
    }
    return (await this.#options.room.presentEvents(originals)).filter((event) => event !== undefined);
  }

  async #documents(events: readonly StoredEvent[]): Promise<Map<EventNid, Uint32Array | undefined>> {
    const { room, storage } = this.#options;
    const edits = await room.replacements(events.filter((event) => keyOf(event) === 0));
    const documents = new Map<EventNid, Uint32Array | undefined>();
    const breath = new Breath();
    for (const event of events) {
      const { nid, order, pdu } = event;
      const key = keyOf(event);
      if (key === undefined) {
        documents.set(nid, undefined);
        continue;
      }
      const edit = edits.get(nid);
      const newContent = edit?.pdu.content["m.new_content"];
      const content = isJsonObject(newContent) ? newContent : pdu.content;
      const document = encodeDocument({
        key,
        nid,
        order,
        ts: pdu.origin_server_ts,
        sender: await storage.names.intern(pdu.sender),
        edit: edit?.nid ?? 0,
        hasUrl: Object.hasOwn(pdu.content, "url"),
        isShared: await this.#isSharedIn(event.stateBefore),
        texts: textsOf(key, content),
      });
      documents.set(nid, document);
      await breath.take();
    }
    return documents;
  }

  /** Whether history of that state is open to members who come later. */
  async #isSharedIn(snapshot: SnapshotNid): Promise<boolean> {
    const known = this.#isShared.get(snapshot);
    if (known !== undefined) return known;
    const { room } = this.#options;
    const nid = await room.stateEntry(snapshot, "m.room.history_visibility", "");
    const [setting] = nid === undefined ? [] : await room.events([nid]);
    const visibility = setting?.pdu.content.history_visibility;
    const isShared = visibility !== "invited" && visibility !== "joined";
    this.#isShared.set(snapshot, isShared);
    return isShared;
  }
}

function byRoom(events: Iterable<StoredEvent>): Map<Nid, StoredEvent[]> {
  const rooms = new Map<Nid, StoredEvent[]>();
  for (const event of events) {
    const inRoom = rooms.get(event.room);
    if (inRoom === undefined) rooms.set(event.room, [event]);
    else inRoom.push(event);
  }
  return rooms;
}

const isOfSearchedType = ({ pdu }: StoredEvent) => TYPES.includes(pdu.type as (typeof TYPES)[number]);
