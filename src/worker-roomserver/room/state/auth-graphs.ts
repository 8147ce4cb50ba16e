import { CompactAuthGraph } from "../../../matrix/state-resolution/auth-graph.ts";
import { onPurge } from "../../log/on-purge.ts";
import type { Storage, Write } from "../../storage/api.ts";
import { Lru } from "../../storage/lru.ts";
import type { EventNid, Nid } from "../../storage/schema.ts";

/** Bytes of all graphs that are kept. */
const KEPT_BYTES = 16_000_000;

/** Who authorises whom in each room: read whole when a state is resolved, and kept up to date from then on. */
export class AuthGraphs {
  readonly #storage: Storage;
  readonly #graphs = new Lru<Nid, CompactAuthGraph>(KEPT_BYTES, (graph) => graph.weight);
  /** Counts what is written, so that what was read while it was is read again. */
  #writes = 0;

  constructor(storage: Storage) {
    this.#storage = storage;
    storage.onRollback(() => {
      this.#writes += 1;
      this.#graphs.clear();
    });
    onPurge(storage, (room) => this.#graphs.delete(room));
  }

  /** One range of small records, the first time. */
  async of(room: Nid): Promise<CompactAuthGraph> {
    for (;;) {
      const known = this.#graphs.get(room);
      if (known !== undefined) return known;
      const writes = this.#writes;
      await this.#storage.settled();
      const records = await this.#storage.getAll("authEdges", IDBKeyRange.bound([room], [room, []]));
      if (writes === this.#writes) this.#graphs.set(room, new CompactAuthGraph(records));
    }
  }

  /** Queues the edges of state events, in ascending order of their nids. */
  add(write: Write, room: Nid, events: readonly { nid: EventNid; authEvents: readonly EventNid[] }[]): void {
    const last = events.at(-1);
    if (last === undefined) return;
    const record = events.flatMap(({ nid, authEvents }) => [nid, authEvents.length, ...authEvents]);
    write.put("authEdges", Uint32Array.from(record), [room, last.nid]);
    this.#writes += 1;
    const graph = this.#graphs.get(room);
    if (graph === undefined) return;
    for (const { nid, authEvents } of events) graph.add(nid, authEvents);
    this.#graphs.set(room, graph); // it weighs more now
  }
}
