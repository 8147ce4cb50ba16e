import type { AuthEvent } from "../../../matrix/auth-rules/auth-event.ts";
import type { Ed25519 } from "../../../matrix/ed25519.ts";
import type { RoomVersionRules } from "../../../matrix/room-versions.ts";
import type {
  AuthGraph,
  ConflictedEntry,
  ResolvableEvent,
  ResolvedEntry,
  StateKey,
  StateSets,
} from "../../../matrix/state-resolution/api.ts";
import { resolveState } from "../../../matrix/state-resolution/resolve.ts";
import type { Storage } from "../../storage/api.ts";
import { Lru } from "../../storage/lru.ts";
import type { EventNid, Nid, SnapshotNid } from "../../storage/schema.ts";
import type { EventStore } from "../event-store.ts";
import type { SnapshotChain, SnapshotStore, StateChange } from "../snapshots.ts";
import type { AuthGraphs } from "./auth-graphs.ts";

export type ResolverParts = {
  storage: Storage;
  events: EventStore;
  snapshots: SnapshotStore;
  graphs: AuthGraphs;
  ed25519: Ed25519;
};

/** A state event that is being taken in: no store knows of it yet. */
export type FreshEvent = AuthEvent & { nid: EventNid; authEvents: readonly EventNid[] };

type Room = { nid: Nid; rules: RoomVersionRules };
type ConflictedPair = ConflictedEntry & { pair: [type: Nid, key: Nid] };

/**
 * Entries of the states that were resolved last: a fork is resolved for each event that is built on it, and for the
 * room as it is.
 */
const KEPT_ENTRIES = 1_000_000;

/**
 * Makes one state of several, by the room version's algorithm. Costs what the states differ in, and the events that
 * this leads to.
 */
export class StateResolver {
  readonly #parts: ResolverParts;
  readonly #resolved = new Lru<string, SnapshotChain>(KEPT_ENTRIES, (state) => state.weight);

  constructor(parts: ResolverParts) {
    this.#parts = parts;
    parts.storage.onRollback(() => this.#resolved.clear());
  }

  /**
   * @param states - at least one; none of them has a rejected event
   * @param fresh - an event that is in some of them and not stored yet
   * @returns one of the states, or one that is derived from one of them and not saved yet
   */
  async resolve(room: Room, states: readonly SnapshotChain[], fresh?: FreshEvent): Promise<SnapshotChain> {
    const distinct = new Map<SnapshotNid, SnapshotChain>();
    for (const state of states) distinct.set(state.nid, state);
    const chains = [...distinct.values()].sort((a, b) => a.nid - b.nid);
    const [first] = chains;
    if (first === undefined) throw new Error("there is no state to resolve");
    if (chains.length === 1) return first;
    const key = chains.map(({ nid }) => nid).join();
    const known = this.#resolved.get(key);
    if (known !== undefined) return known;
    const resolved = await this.#resolve(room, chains, fresh);
    this.#resolved.set(key, resolved);
    return resolved;
  }

  async #resolve(
    { nid, rules }: Room,
    states: readonly SnapshotChain[],
    fresh: FreshEvent | undefined,
  ): Promise<SnapshotChain> {
    const conflicted = await this.#conflicted(states);
    const known = await this.#parts.graphs.of(nid);
    const graph: AuthGraph = {
      authEventsOf: (event) => (event === fresh?.nid ? fresh.authEvents : known.authEventsOf(event)),
    };
    const resolved = await resolveState(
      this.#sets(states, conflicted),
      rules,
      { graph, events: (nids) => this.#events(graph, nids, fresh) },
      this.#parts.ed25519,
    );
    return this.#nearest(states, resolved);
  }

  async #conflicted(states: readonly SnapshotChain[]): Promise<ConflictedPair[]> {
    const pairs = new Map<string, [Nid, Nid]>();
    for (const other of states.slice(1)) {
      for (const pair of states[0]!.differences(other)) pairs.set(`${pair}`, pair);
    }
    const { names } = this.#parts.storage;
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
    const { names } = this.#parts.storage;
    const [typeNid, keyNid] = await Promise.all([names.find(type), names.find(stateKey)]);
    return typeNid === undefined || keyNid === undefined ? undefined : [typeNid, keyNid];
  }

  /** The resolved state, made of that of the states from which the fewest changes lead to it. */
  async #nearest(
    states: readonly SnapshotChain[],
    resolved: readonly ResolvedEntry[],
  ): Promise<SnapshotChain> {
    const entries: StateChange[] = [];
    for (const { type, stateKey, event } of resolved) {
      const pair = await this.#pair(type, stateKey);
      // What was resolved is an event's key, and those have numbers.
      if (pair !== undefined) entries.push([...pair, event ?? 0]);
    }
    const candidates = states.map((state) => ({
      state,
      changes: entries.filter(([type, key, event]) => (state.entry(type, key) ?? 0) !== event),
    }));
    const nearest = candidates.reduce((best, each) =>
      each.changes.length < best.changes.length ? each : best,
    );
    return this.#parts.snapshots.derive(nearest.state, nearest.changes);
  }

  async #events(
    graph: AuthGraph,
    nids: readonly EventNid[],
    fresh: FreshEvent | undefined,
  ): Promise<ResolvableEvent[]> {
    const events: (AuthEvent & { nid: EventNid; authPdu?: AuthEvent["pdu"] })[] =
      await this.#parts.events.get(nids.filter((nid) => nid !== fresh?.nid));
    if (fresh !== undefined && nids.includes(fresh.nid)) events.push(fresh);
    return events.map(({ nid, eventId, pdu, authPdu }) => ({
      nid,
      eventId,
      pdu: authPdu ?? pdu,
      authEvents: Array.from(graph.authEventsOf(nid)),
      // What was rejected is in no state, and cited by nothing that is.
      rejected: false,
    }));
  }
}
