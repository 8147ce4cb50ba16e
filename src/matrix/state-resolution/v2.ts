import { authTypesFor } from "../auth-events.ts";
import type { Ed25519 } from "../ed25519.ts";
import { powerLevels } from "../power-levels.ts";
import type { RoomVersionRules } from "../room-versions.ts";
import type { EventNid, ResolutionSource, ResolvableEvent, ResolvedEntry, StateSets } from "./api.ts";
import { authDifference } from "./auth-difference.ts";
import { authFacts } from "./auth-facts.ts";
import { conflictedSubgraph } from "./conflicted-subgraph.ts";
import { iterativeAuthChecks } from "./iterative-auth.ts";
import { LoadedEvents } from "./loaded-events.ts";
import { mainlineOrdering } from "./mainline.ts";
import { reverseTopologicalPowerOrdering } from "./power-order.ts";
import { StateMap } from "./state-map.ts";

/**
 * State resolution v2, of room versions 2 to 11, and v2.1, from v12 on.
 * @see https://spec.matrix.org/v1.19/rooms/v2/#state-resolution
 * @see https://spec.matrix.org/v1.19/rooms/v12/#state-resolution
 */
export async function resolveV2(
  sets: StateSets,
  rules: RoomVersionRules,
  source: ResolutionSource,
  ed25519: Ed25519,
): Promise<ResolvedEntry[]> {
  const startsEmpty = rules.stateResolution === "v2.1";
  const { graph } = source;
  const loaded = new LoadedEvents(source);

  const conflicted = conflictedEvents(sets);
  const create = createOfRoom(sets);
  await loaded.loadWithAuthEvents(create === undefined ? conflicted : [create, ...conflicted]);
  const agreed = new AgreedState(sets, rules);
  agreed.lookUpFor(loaded.all(conflicted));

  const fullSet = new Set(startsEmpty ? conflictedSubgraph(conflicted, graph) : conflicted);
  for (const nid of authDifference(sets, graph, agreed.events())) fullSet.add(nid);
  await loaded.loadWithAuthEvents(fullSet);
  const full = new Map(loaded.all(fullSet).map((event) => [event.nid, event]));
  agreed.lookUpFor(full.values());
  await loaded.load(agreed.events());
  const base = (type: string, stateKey: string): ResolvableEvent | undefined => {
    // v2.1 starts from the empty state. The create event alone is given: no event cites it, the room's id does.
    const given = type === "m.room.create" ? create : undefined;
    const nid = startsEmpty ? given : agreed.entry(type, stateKey);
    return nid === undefined ? undefined : loaded.get(nid);
  };
  const checks = { rules, loaded, base, factsOf: await authFacts(full.values(), rules, loaded, ed25519) };

  const resolved = new StateMap<ResolvableEvent>();
  const power = reverseTopologicalPowerOrdering(full, (event) => {
    const citedCreate = loaded.authEvent(event, "m.room.create", "") ?? base("m.room.create", "");
    const citedLevels = loaded.authEvent(event, "m.room.power_levels", "");
    return powerLevels(citedLevels?.pdu.content, citedCreate?.pdu, rules).userLevel(event.pdu.sender);
  });
  iterativeAuthChecks(power, resolved, checks);

  for (const { nid } of power) full.delete(nid);
  const mainlineTip = resolved.get("m.room.power_levels", "") ?? base("m.room.power_levels", "");
  const others = await mainlineOrdering([...full.values()], mainlineTip, loaded, graph);
  iterativeAuthChecks(others, resolved, checks);

  return changedEntries(sets, resolved);
}

function conflictedEvents({ conflicted }: StateSets): ReadonlySet<EventNid> {
  return new Set(conflicted.flatMap(({ events }) => events.filter((nid) => nid !== undefined)));
}

/** What all sets agree on, as far as it authorises events that are resolved. */
class AgreedState {
  readonly #sets: StateSets;
  readonly #rules: RoomVersionRules;
  /** Undefined where it was looked up and there is nothing. */
  readonly #entries = new StateMap<EventNid | undefined>();

  constructor(sets: StateSets, rules: RoomVersionRules) {
    this.#sets = sets;
    this.#rules = rules;
  }

  /** Looks up all that the given events may be authorised by. */
  lookUpFor(events: Iterable<ResolvableEvent>): void {
    for (const { pdu } of events) {
      for (const [type, stateKey] of authTypesFor(pdu, this.#rules)) {
        if (this.#entries.has(type, stateKey)) continue;
        this.#entries.set(type, stateKey, this.#sets.unconflicted.entry(type, stateKey));
      }
    }
  }

  entry(type: string, stateKey: string): EventNid | undefined {
    return this.#entries.get(type, stateKey);
  }

  *events(): Generator<EventNid> {
    for (const nid of this.#entries.values()) if (nid !== undefined) yield nid;
  }
}

/** A set without a create event is no state of the room; if one is given, the others still say which it is. */
function createOfRoom({ conflicted, unconflicted }: StateSets): EventNid | undefined {
  const agreed = unconflicted.entry("m.room.create", "");
  if (agreed !== undefined) return agreed;
  const entry = conflicted.find(({ type, stateKey }) => type === "m.room.create" && stateKey === "");
  return entry?.events.find((nid) => nid !== undefined);
}

/** The result without what the sets agree on, which stays as it is whatever was resolved under its keys. */
function changedEntries(sets: StateSets, resolved: StateMap<ResolvableEvent>): ResolvedEntry[] {
  const entries: ResolvedEntry[] = [];
  const keys = new StateMap<true>();
  for (const { type, stateKey } of sets.conflicted) {
    keys.set(type, stateKey, true);
    entries.push({ type, stateKey, event: resolved.get(type, stateKey)?.nid });
  }
  for (const [type, stateKey, { nid }] of resolved.entries()) {
    if (keys.has(type, stateKey) || sets.unconflicted.entry(type, stateKey) !== undefined) continue;
    entries.push({ type, stateKey, event: nid });
  }
  return entries;
}
