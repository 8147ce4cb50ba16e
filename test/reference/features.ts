import type { GeneratedRoom } from "./arbitrary-room.ts";
import type { RefEvent, RefState, StateKey } from "./events.ts";
import { ReferenceRoom } from "./room-model.ts";

/** What may come up in a room that state resolution and the checks on receipt have to get right. */
export type Feature =
  | "conflicting fork"
  | "merged ban"
  | "conflicting power levels"
  | "rejected by the auth events"
  | "rejected by the state before"
  | "built on a rejected event"
  | "soft-failed"
  | "soft-failed, and in the current state"
  | "soft-failed in one order only"
  | "restricted join"
  | "redacted"
  | "redaction before its target"
  | "several extremities";

/** The features that a room shows in the order that it was made in, or in one other. */
export function featuresOfRoom(room: GeneratedRoom): Set<Feature> {
  const found = new Set<Feature>();
  const models = [room.events, ...room.arrivals.slice(0, 1)].map((order) => {
    const model = new ReferenceRoom(room.rules);
    for (const event of order) model.receive(event);
    return model;
  });
  for (const model of models) {
    for (const feature of featuresOf(model)) found.add(feature);
  }
  const outcomes = (id: string) => new Set(models.map((model) => model.verdict(id).outcome));
  if (room.events.some(({ eventId }) => outcomes(eventId).size > 1))
    found.add("soft-failed in one order only");
  return found;
}

function* featuresOf(model: ReferenceRoom): Generator<Feature> {
  if (model.extremities().size > 1) yield "several extremities";
  for (const event of model.events()) {
    const verdict = model.verdict(event.eventId);
    const { outcome } = verdict;
    if (verdict.outcome === "rejected") yield `rejected by the ${verdict.by}`;
    if (outcome === "soft-failed") yield "soft-failed";
    const isRestricted = event.pdu.content.join_authorised_via_users_server !== undefined;
    if (outcome === "accepted" && isRestricted) yield "restricted join";
    if (event.prev.some((id) => model.verdict(id).outcome === "rejected")) yield "built on a rejected event";
    yield* mergeBefore(event, model);
    yield* redactionOf(event, model);
  }
  for (const id of model.currentState().values()) {
    if (model.verdict(id).outcome === "soft-failed") yield "soft-failed, and in the current state";
  }
}

/** Of a merge of branches that know nothing of one another. */
function* mergeBefore({ eventId, prev }: RefEvent, model: ReferenceRoom): Generator<Feature> {
  const branches = prev.filter((id) => !prev.some((other) => ancestorsOf(other, model).has(id)));
  const states = branches.map((id) => model.stateAfter(id));
  for (const key of keysInConflict(states)) {
    yield "conflicting fork";
    const [type] = JSON.parse(key);
    if (type === "m.room.power_levels") yield "conflicting power levels";
    const resolved = model.stateBefore(eventId).get(key);
    if (resolved !== undefined && model.event(resolved).pdu.content.membership === "ban") yield "merged ban";
  }
}

function ancestorsOf(eventId: string, model: ReferenceRoom): Set<string> {
  const ancestors = new Set(model.event(eventId).prev);
  // A Set's iteration goes on to what is added meanwhile.
  for (const id of ancestors) for (const prev of model.event(id).prev) ancestors.add(prev);
  return ancestors;
}

function keysInConflict(states: readonly RefState[]): StateKey[] {
  const keys = new Set(states.flatMap((state) => [...state.keys()]));
  return [...keys].filter((key) => new Set(states.map((state) => state.get(key))).size > 1);
}

function* redactionOf({ eventId }: RefEvent, model: ReferenceRoom): Generator<Feature> {
  const by = model.redactedBy(eventId);
  if (by === undefined) return;
  yield "redacted";
  const order = model.events().map((event) => event.eventId);
  if (order.indexOf(by) < order.indexOf(eventId)) yield "redaction before its target";
}
