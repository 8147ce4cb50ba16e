import { forbidden, invalidParam } from "../../../matrix/errors.ts";
import type { JsonObject } from "../../../matrix/json.ts";
import { roomSummary } from "../../../matrix/room-summary.ts";
import { jsonBytes } from "../../node/json-bytes.ts";
import type { JsonBytes, Requester } from "../../node/requester.ts";
import type { HierarchyQuery, HierarchyRoom, ToldHierarchy } from "../api.ts";
import { strippedEvent } from "../client-event.ts";
import type { RoomParts } from "../parts.ts";
import { durable } from "./graph/durable.ts";
import { HierarchyWalks, type Pending, type Walk } from "./hierarchy-walks.ts";
import { isShownTo, previewOf } from "./preview.ts";
import { roomElsewhere, serverInId, viaOf } from "./room-elsewhere.ts";
import { spaceChildren } from "./space-children.ts";

/** Rooms on a page, if no fewer are asked for. */
const LIMIT = 50;
/** How deep a walk goes, if no less is asked for. Nobody finds anything deeper than that. */
const DEPTH = 100;
/** Rooms that are looked at for a page, though they may not be shown, and child events that it shows. */
const VISITED_ON_PAGE = 500;
const CHILDREN_ON_PAGE = 2_000;
/** Rooms of one walk: what comes after them in a tree of spaces within spaces is not reached. */
const WALKED = 10_000;

/**
 * How long a page goes on to be made where other servers have to be asked: what is there by then is shown, and the next
 * page goes on. In milliseconds.
 */
const PAGE_MS = 15_000;

type Terms = { userId: string; roomId: string; suggestedOnly: boolean; maxDepth: number; limit: number };

/** A room of the tree, whoever tells of it. */
type ListedRoom = HierarchyRoom | ToldHierarchy["room"];
/** `children`: what is known already of rooms right below. */
type Visited = Omit<ToldHierarchy, "room"> & { room: ListedRoom };

/** Walks over the trees of spaces. Of rooms that nobody here is in, the servers are asked that their spaces name. */
export class SpaceHierarchy {
  readonly #parts: RoomParts;
  readonly #walks: HierarchyWalks;

  constructor(parts: RoomParts) {
    this.#parts = parts;
    this.#walks = new HierarchyWalks(parts.now);
  }

  /**
   * `GET /rooms/{roomId}/hierarchy`: depth first, each room once, without those that the requester may not see and
   * what is below them. A page may hold fewer rooms than were asked for, even none, and not be the last.
   *
   * Costs for each room that is looked at what `previewOf` and `spaceChildren` cost: for a page at most
   * `VISITED_ON_PAGE` rooms, and as many child events as `CHILDREN_ON_PAGE` and those of one space. For a space
   * elsewhere it costs a request, if it was not asked about lately.
   * @throws MatrixError M_FORBIDDEN (403) for a room of which nobody tells or that may not be seen; M_INVALID_PARAM (400)
   *   for a limit or depth that is none, and a token that is not good (any more)
   * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1roomsroomidhierarchy
   */
  async page(requester: Requester, roomId: string, query: HierarchyQuery): Promise<JsonBytes> {
    const terms = termsOf(requester, roomId, query);
    const { userId, suggestedOnly, maxDepth } = terms;
    const purpose = JSON.stringify([userId, roomId, suggestedOnly, maxDepth]);
    const from =
      query.from === undefined
        ? { pending: [{ roomId, depth: 0, via: serverInId(roomId) }], visited: new Set<string>() }
        : this.#walks.find(query.from, purpose);
    const { rooms, rest } = await durable(this.#parts.storage, async () => {
      await this.#requireShown(terms);
      return this.#walk(terms, from);
    });
    const next = rest.pending.length === 0 ? undefined : this.#walks.keep(purpose, rest);
    return jsonBytes({ rooms, ...(next !== undefined && { next_batch: next }) });
  }

  async #requireShown(terms: Terms): Promise<void> {
    const { roomId } = terms;
    if ((await this.#visit(terms, { roomId, via: serverInId(roomId), depth: 0 })) !== undefined) return;
    throw forbidden("You are not in the room, and it is not open to you.");
  }

  async #walk(terms: Terms, from: Walk): Promise<{ rooms: ListedRoom[]; rest: Walk }> {
    const end = this.#parts.now() + PAGE_MS;
    const pending = [...from.pending];
    const visited = new Set(from.visited);
    const most = { rooms: terms.limit, visited: visited.size + VISITED_ON_PAGE, children: CHILDREN_ON_PAGE };
    const rooms: ListedRoom[] = [];
    let children = 0;
    while (rooms.length < most.rooms && visited.size < most.visited && children < most.children) {
      const next = this.#parts.now() < end ? pending.pop() : undefined;
      if (next === undefined) break;
      if (visited.has(next.roomId)) continue;
      visited.add(next.roomId);
      const found = await this.#visit(terms, next);
      if (found === undefined) continue;
      rooms.push(found.room);
      children += found.room.children_state.length;
      if (next.depth < terms.maxDepth) pending.push(...below(found, next, { pending, visited }));
    }
    return { rooms, rest: { pending: pending.filter(({ roomId }) => !visited.has(roomId)), visited } };
  }

  async #visit(terms: Terms, next: Pending): Promise<Visited | undefined> {
    const preview = await previewOf(this.#parts, next.roomId);
    if (preview === undefined) return roomElsewhere(this.#parts, next, terms);
    if (!(await isShownTo(this.#parts, preview, terms.userId))) return undefined;
    const children = await spaceChildren(this.#parts, preview, terms.suggestedOnly);
    const room = { ...roomSummary(preview), children_state: children.map(strippedEvent) };
    return { room, children: [], inaccessible_children: [] };
  }
}

/**
 * The rooms right below one, the first last. Those that a walk has no place for any more are left out, and those that
 * nobody from here may come into, as another server says.
 */
function below(
  { room: { children_state }, children, inaccessible_children }: Visited,
  { depth }: Pending,
  { pending, visited }: Walk,
): Pending[] {
  const told = new Map(children.map((child) => [child.room_id, child]));
  const closed = new Set(inaccessible_children);
  const unseen = children_state.flatMap(({ state_key, content }): Pending[] => {
    const roomId = state_key as string;
    if (visited.has(roomId) || closed.has(roomId)) return [];
    const known = told.get(roomId);
    return [{ roomId, depth: depth + 1, via: viaOf(content as JsonObject), ...(known && { told: known }) }];
  });
  const place = Math.max(0, WALKED - pending.length - visited.size);
  return unseen.slice(0, place).reverse();
}

function termsOf(requester: Requester, roomId: string, query: HierarchyQuery): Terms {
  const { limit = LIMIT, max_depth: maxDepth = DEPTH, suggested_only: suggestedOnly = false } = query;
  if (!Number.isInteger(limit) || limit < 1) throw invalidParam("limit is a number of rooms, at least 1.");
  if (!Number.isInteger(maxDepth) || maxDepth < 0) throw invalidParam("max_depth is a number, at least 0.");
  return {
    userId: requester.userId,
    roomId,
    suggestedOnly,
    maxDepth: Math.min(maxDepth, DEPTH),
    limit: Math.min(limit, LIMIT),
  };
}
