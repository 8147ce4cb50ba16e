import { notFound } from "../../../../matrix/errors.ts";
import { authEventIds } from "../../../../matrix/event-format.ts";
import type { AuthGraph } from "../../../../matrix/state-resolution/api.ts";
import type { EventNid } from "../../../storage/schema.ts";
import type { StoredEvent } from "../../api.ts";
import { eventsIn, type KnownRoom, knownRoom } from "./known-room.ts";
import type { GraphParts } from "./parts.ts";

/**
 * Events outside the graph that are gone on from: only what was rejected cites what was rejected, and whoever asks for
 * one wants to know why, not all that somebody has piled up.
 */
const READ_OUTSIDE = 1_000;

/** All events that authorise the given ones. */
export async function authChain(
  parts: GraphParts,
  roomId: string,
  eventIds: readonly string[],
): Promise<StoredEvent[]> {
  const room = await knownRoom(parts, roomId);
  const events = await eventsIn(parts, room, eventIds);
  if (events.length < eventIds.length) throw notFound("This server does not know the event in this room.");
  const given = events.map(({ nid }) => nid);
  return parts.events.get(await chainOf(parts, room, given, await citedBy(parts, room, events)));
}

/** The auth events of events that the graph may not have, and of the rejected ones among these. */
async function citedBy(
  parts: GraphParts,
  room: KnownRoom,
  events: readonly StoredEvent[],
): Promise<Set<EventNid>> {
  const graph = await parts.graphs.of(room.nid);
  const cited = new Set<EventNid>();
  let left = READ_OUTSIDE;
  for (let next = events; next.length > 0; ) {
    const outside = next.filter((event) => !isInGraph(event)).slice(0, left);
    left -= outside.length;
    for (const event of next) if (isInGraph(event)) addCited(graph, event.nid, cited);
    const ids = new Set(outside.flatMap(({ pdu }) => authEventIds(pdu)));
    next = (await eventsIn(parts, room, [...ids])).filter(({ nid }) => !cited.has(nid));
    for (const { nid } of next) cited.add(nid);
  }
  return cited;
}

/** The auth chain of a state, or of any state events. @returns in ascending order */
export async function stateAuthChain(
  parts: GraphParts,
  room: KnownRoom,
  state: readonly EventNid[],
): Promise<EventNid[]> {
  const graph = await parts.graphs.of(room.nid);
  const cited = new Set<EventNid>();
  for (const nid of state) addCited(graph, nid, cited);
  return chainOf(parts, room, state, cited);
}

/** @param cited - what the given events list in their `auth_events` */
async function chainOf(
  parts: GraphParts,
  room: KnownRoom,
  given: readonly EventNid[],
  cited: ReadonlySet<EventNid>,
): Promise<EventNid[]> {
  const graph = await parts.graphs.of(room.nid);
  const chain = new Set(cited);
  const create = await impliedCreate(parts, room);
  if (create !== undefined && given.some((nid) => nid !== create)) chain.add(create);
  // What is added meanwhile is gone through as well.
  for (const nid of chain) addCited(graph, nid, chain);
  return [...chain].sort((a, b) => a - b);
}

function addCited(graph: AuthGraph, nid: EventNid, to: Set<EventNid>): void {
  const authEvents = graph.authEventsOf(nid);
  for (let index = 0; index < authEvents.length; index++) to.add(authEvents[index]!);
}

/** Messages authorise nothing, and what was rejected neither: the graph has none of them. */
function isInGraph({ pdu, status }: StoredEvent): boolean {
  return pdu.state_key !== undefined && status !== 1;
}

/** The create event where no event lists it, because the room's id names it. */
async function impliedCreate(parts: GraphParts, room: KnownRoom): Promise<EventNid | undefined> {
  if (!room.rules.roomIdIsCreateHash) return undefined;
  const [create] = await eventsIn(parts, room, [`$${room.roomId.slice(1)}`]);
  return create?.nid;
}
