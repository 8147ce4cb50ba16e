import type { Ed25519 } from "../ed25519.ts";
import { powerLevels } from "../power-levels.ts";
import type { RoomVersionRules } from "../room-versions.ts";
import { AgreedState } from "./agreed-state.ts";
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

  // What the sets agree on and conflicted events need is nearly all that these cite: known to the search for the auth
  // difference, it mostly spares that reading the rest.
  const conflicted = conflictedEvents(sets);
  const create = await createOfRoom(sets);
  await loaded.loadWithAuthEvents(create === undefined ? conflicted : [create, ...conflicted]);
  const agreed = new AgreedState((keys) => sets.unconflicted.entries(keys), rules, loaded);
  await agreed.lookUpFor(loaded.all(conflicted));

  const further = new Set(authDifference(sets, graph, agreed.nids()));
  if (startsEmpty) for (const nid of conflictedSubgraph(conflicted, graph)) further.add(nid);
  await loaded.loadWithAuthEvents(further);
  await agreed.lookUpFor(loaded.all(further));
  await loaded.load(agreed.nids());
  const full = new Map(loaded.all([...conflicted, ...further]).map((event) => [event.nid, event]));

  const givenCreate = create === undefined ? undefined : loaded.get(create);
  const base = (type: string, stateKey: string): ResolvableEvent | undefined => {
    if (!startsEmpty) return agreed.event(type, stateKey);
    // Where nothing else is given, the create event is: no event cites it, as the room's id does.
    return type === "m.room.create" && stateKey === "" ? givenCreate : undefined;
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
  const mainline = resolved.get("m.room.power_levels", "") ?? base("m.room.power_levels", "");
  iterativeAuthChecks(await mainlineOrdering([...full.values()], mainline, loaded, graph), resolved, checks);
  return changedEntries(sets, resolved);
}

function conflictedEvents({ conflicted }: StateSets): ReadonlySet<EventNid> {
  return new Set(conflicted.flatMap(({ events }) => events.filter((nid) => nid !== undefined)));
}

/** A set without a create event is no state of the room; if one is given, the others still say which it is. */
async function createOfRoom({ conflicted, unconflicted }: StateSets): Promise<EventNid | undefined> {
  const [agreed] = await unconflicted.entries([["m.room.create", ""]]);
  if (agreed !== undefined) return agreed;
  const entry = conflicted.find(({ type, stateKey }) => type === "m.room.create" && stateKey === "");
  return entry?.events.find((nid) => nid !== undefined);
}

/** The result without what the sets agree on, which stays as it is whatever was resolved under its keys. */
async function changedEntries(
  sets: StateSets,
  resolved: StateMap<ResolvableEvent>,
): Promise<ResolvedEntry[]> {
  const entries: ResolvedEntry[] = [];
  const keys = new StateMap<true>();
  for (const { type, stateKey } of sets.conflicted) {
    keys.set(type, stateKey, true);
    entries.push({ type, stateKey, event: resolved.get(type, stateKey)?.nid });
  }
  const others = [...resolved.entries()].filter(([type, stateKey]) => !keys.has(type, stateKey));
  const agreed = await sets.unconflicted.entries(others.map(([type, stateKey]) => [type, stateKey]));
  for (const [i, [type, stateKey, { nid }]] of others.entries()) {
    if (agreed[i] === undefined) entries.push({ type, stateKey, event: nid });
  }
  return entries;
}
