import { forbidden, invalidParam } from "../../../matrix/errors.ts";
import { roomSummary } from "../../../matrix/room-summary.ts";
import { jsonBytes } from "../../node/json-bytes.ts";
import type { JsonBytes, Requester } from "../../node/requester.ts";
import type { HierarchyQuery, HierarchyRoom } from "../api.ts";
import { strippedEvent } from "../client-event.ts";
import type { RoomParts } from "../parts.ts";
import { durable } from "./graph/durable.ts";
import { HierarchyWalks, type Pending, type Walk } from "./hierarchy-walks.ts";
import { isShownTo, previewOf } from "./preview.ts";
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

type Terms = { userId: string; roomId: string; suggestedOnly: boolean; maxDepth: number; limit: number };

/** Walks over the trees of spaces, of the rooms that somebody here is in. */
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
   * `VISITED_ON_PAGE` rooms, and as many child events as `CHILDREN_ON_PAGE` and those of one space.
   * @throws MatrixError M_FORBIDDEN (403) for a room that is not known here or may not be seen; M_INVALID_PARAM (400)
   *   for a limit or depth that is none, and a token that is not good (any more)
   * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1roomsroomidhierarchy
   */
  async page(requester: Requester, roomId: string, query: HierarchyQuery): Promise<JsonBytes> {
    const terms = termsOf(requester, roomId, query);
    const { userId, suggestedOnly, maxDepth } = terms;
    const purpose = JSON.stringify([userId, roomId, suggestedOnly, maxDepth]);
    const from =
      query.from === undefined
        ? { pending: [{ roomId, depth: 0 }], visited: new Set<string>() }
        : this.#walks.find(query.from, purpose);
    const { rooms, rest } = await durable(this.#parts.storage, async () => {
      await this.#requireShown(terms);
      return this.#walk(terms, from);
    });
    const next = rest.pending.length === 0 ? undefined : this.#walks.keep(purpose, rest);
    return jsonBytes({ rooms, ...(next !== undefined && { next_batch: next }) });
  }

  async #requireShown({ userId, roomId }: Terms): Promise<void> {
    const preview = await previewOf(this.#parts, roomId);
    if (preview !== undefined && (await isShownTo(this.#parts, preview, userId))) return;
    throw forbidden("You are not in the room, and it is not open to you.");
  }

  async #walk(terms: Terms, from: Walk): Promise<{ rooms: HierarchyRoom[]; rest: Walk }> {
    const pending = [...from.pending];
    const visited = new Set(from.visited);
    const most = { rooms: terms.limit, visited: visited.size + VISITED_ON_PAGE, children: CHILDREN_ON_PAGE };
    const rooms: HierarchyRoom[] = [];
    let children = 0;
    while (rooms.length < most.rooms && visited.size < most.visited && children < most.children) {
      const next = pending.pop();
      if (next === undefined) break;
      if (visited.has(next.roomId)) continue;
      visited.add(next.roomId);
      const room = await this.#visit(terms, next);
      if (room === undefined) continue;
      rooms.push(room);
      children += room.children_state.length;
      if (next.depth < terms.maxDepth) pending.push(...below(room, next, { pending, visited }));
    }
    return { rooms, rest: { pending: pending.filter(({ roomId }) => !visited.has(roomId)), visited } };
  }

  async #visit({ userId, suggestedOnly }: Terms, { roomId }: Pending): Promise<HierarchyRoom | undefined> {
    const preview = await previewOf(this.#parts, roomId);
    if (preview === undefined || !(await isShownTo(this.#parts, preview, userId))) return undefined;
    const children = await spaceChildren(this.#parts, preview, suggestedOnly);
    return { ...roomSummary(preview), children_state: children.map(strippedEvent) };
  }
}

/** The rooms right below one, the first last. Those that a walk has no place for any more are left out. */
function below({ children_state }: HierarchyRoom, { depth }: Pending, { pending, visited }: Walk): Pending[] {
  const roomIds = children_state.map(({ state_key }) => state_key as string);
  const unseen = roomIds.filter((roomId) => !visited.has(roomId));
  const place = Math.max(0, WALKED - pending.length - visited.size);
  return unseen
    .slice(0, place)
    .map((roomId) => ({ roomId, depth: depth + 1 }))
    .reverse();
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
