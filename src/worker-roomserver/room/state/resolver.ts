import type { Ed25519 } from "../../../matrix/ed25519.ts";
import type { RoomVersionRules } from "../../../matrix/room-versions.ts";
import type {
  ConflictedEntry,
  ResolvableEvent,
  ResolvedEntry,
  StateKey,
  StateSets,
} from "../../../matrix/state-resolution/api.ts";
import type { CompactAuthGraph } from "../../../matrix/state-resolution/auth-graph.ts";
import { resolveState } from "../../../matrix/state-resolution/resolve.ts";
import type { Names } from "../../storage/api.ts";
import type { EventNid, Nid } from "../../storage/schema.ts";
import type { EventStore } from "../event-store.ts";
import type { SnapshotChain, StateChange } from "../snapshots.ts";
import type { AuthGraphs } from "./auth-graphs.ts";
import { RoomState } from "./room-state.ts";

export type ResolverParts = { names: Names; events: EventStore; graphs: AuthGraphs; ed25519: Ed25519 };

type ConflictedPair = ConflictedEntry & { pair: [type: Nid, key: Nid] };

/** Makes one state of several, by the room version's algorithm. It reads what differs, and writes nothing. */
export class StateResolver {
  readonly #parts: ResolverParts;

  constructor(parts: ResolverParts) {
    this.#parts = parts;
  }

  /** @param states - at least one */
  async resolve(room: Nid, rules: RoomVersionRules, states: readonly SnapshotChain[]): Promise<RoomState> {
    const distinct = [...new Map(states.map((state) => [state.nid, state])).values()];
    const [first] = distinct;
    if (first === undefined) throw new Error("there is no state to resolve");
    if (distinct.length === 1) return new RoomState(first);
    const conflicted = await this.#conflicted(distinct);
    const graph = await this.#parts.graphs.of(room);
    const resolved = await resolveState(
      this.#sets(distinct, conflicted),
      rules,
      { graph, events: (nids) => this.#events(graph, nids) },
      this.#parts.ed25519,
    );
    return this.#nearest(distinct, resolved);
  }

  async #conflicted(states: readonly SnapshotChain[]): Promise<ConflictedPair[]> {
    const pairs = new Map<string, [Nid, Nid]>();
    for (const other of states.slice(1)) {
      for (const pair of states[0]!.differences(other)) pairs.set(`${pair}`, pair);
    }
    const { names } = this.#parts;
    return Promise.all(
      [...pairs.values()].map(async (pair) => ({
        pair,
        type: await names.text(pair[0]),
        stateKey: await names.text(pair[1]),
        events: states.map((state) => state.entry(...pair)),
      })),
    );
  }

  #sets(states: readonly SnapshotChain[], conflicted: readonly ConflictedPair[]): StateSets {
    const first = states[0]!;
    const differing = new Set(conflicted.map(({ pair }) => `${pair}`));
    const isAgreed = (type: Nid, key: Nid) => !differing.has(`${[type, key]}`);
    const agreedOn = async ([type, stateKey]: StateKey) => {
      const pair = await this.#pair(type, stateKey);
      return pair !== undefined && isAgreed(...pair) ? first.entry(...pair) : undefined;
    };
    return {
      count: states.length,
      conflicted,
      unconflicted: {
        entries: (keys) => Promise.all(keys.map(agreedOn)),
        *events() {
          for (const [type, key, event] of first.pairs()) if (isAgreed(type, key)) yield event;
        },
      },
    };
  }

  /** Undefined where one of them has never been met. */
  async #pair(type: string, stateKey: string): Promise<[type: Nid, key: Nid] | undefined> {
    const { names } = this.#parts;
    const [typeNid, keyNid] = await Promise.all([names.find(type), names.find(stateKey)]);
    return typeNid === undefined || keyNid === undefined ? undefined : [typeNid, keyNid];
  }

  /** The resolved state, as that of the states from which the fewest changes lead to it. */
  async #nearest(states: readonly SnapshotChain[], resolved: readonly ResolvedEntry[]): Promise<RoomState> {
    const entries: StateChange[] = [];
    for (const { type, stateKey, event } of resolved) {
      const pair = await this.#pair(type, stateKey);
      // What was resolved is an event's key, and those have numbers.
      if (pair !== undefined) entries.push([...pair, event ?? 0]);
    }
    const candidates = states.map((state) => {
      const changes = entries.filter(([type, key, event]) => (state.entry(type, key) ?? 0) !== event);
      return new RoomState(state, changes);
    });
    return candidates.reduce((best, each) => (each.changes.length < best.changes.length ? each : best));
  }

  async #events(graph: CompactAuthGraph, nids: readonly EventNid[]): Promise<ResolvableEvent[]> {
    const events = await this.#parts.events.get(nids);
    return events.map(({ nid, eventId, pdu, status }) => ({
      nid,
      eventId,
      pdu,
      authEvents: Array.from(graph.authEventsOf(nid)),
      rejected: status === 1,
    }));
  }
}
