import type { Storage } from "../../storage/api.ts";
import type { EventNid, Nid } from "../../storage/schema.ts";
import type { EventStore } from "../event-store.ts";
import { inDirection, type Related, type RelatedPage, relatedTo, type Stretch } from "./relation-rows.ts";

/**
 * How many relations further than those to the event itself are followed. The spec wants at least three levels, and
 * leaves open whether the direct one counts: it does not here.
 * @see https://spec.matrix.org/v1.19/client-server-api/#relationships-api
 */
export const RECURSION_DEPTH = 3;

/** Events of which it is asked, for one answer, what relates to them: each costs a range, and its row. */
const PARENTS = 500;
/** Rows for what relates to the event itself, and for one level below it, shared among those of the level. */
const ROWS = 500;
const LEVEL_ROWS = 5_000;
/** Of one event of a level, however many they are. */
const LEAST_ROWS = 20;

type Parts = { storage: Storage; events: EventStore };

/**
 * What relates to an event, and what relates to that: a stretch of all of it in the order of the timeline. What
 * `isWanted` leaves out is not followed either. What relates to the 500 relations nearest to where the stretch starts
 * is all there; of what relates to others, what came only then may be missing.
 *
 * Costs up to 500 ranges and events and some 10,000 small rows.
 * @see https://spec.matrix.org/v1.19/client-server-api/#relationships-api
 */
export async function descendants(
  parts: Parts,
  room: Nid,
  target: { nid: EventNid; eventId: string },
  stretch: Stretch,
  isWanted: (related: Related) => boolean,
): Promise<RelatedPage> {
  const { dir } = stretch;
  const found: Related[] = [];
  // Ids of room versions 1 and 2 are made up by servers, so that events there can relate to each other in a circle.
  const met = new Set<EventNid>([target.nid]);
  const ends: number[] = [];
  let parents = [target.eventId];
  let parentsLeft = PARENTS;
  for (let depth = 0; parents.length > 0; depth++) {
    const count = depth === 0 ? ROWS : Math.max(LEAST_ROWS, Math.floor(LEVEL_ROWS / parents.length));
    const pages = await relatedTo(parts.storage, room, parents, stretch, count);
    for (const { rest } of pages) if (rest !== undefined) ends.push(rest);
    const isNew = (related: Related) => isWanted(related) && !met.has(related.nid);
    const level = distinct(pages.flatMap(({ related }) => related).filter(isNew));
    level.sort((a, b) => inDirection(dir, a, b));
    for (const related of level) met.add(related.nid);
    found.push(...level);
    if (depth === RECURSION_DEPTH) break;
    const earlier = dir === "f" ? await before(parts.storage, room, parents, stretch, count) : [];
    const next = [...level, ...distinct(earlier.filter(isNew))].slice(0, parentsLeft);
    for (const related of next) met.add(related.nid);
    parentsLeft -= next.length;
    parents = (await parts.events.get(next.map(({ nid }) => nid))).map(({ eventId }) => eventId);
  }
  // Complete only as far as every one of the ranges was read.
  const rest = ends.length === 0 ? undefined : dir === "b" ? Math.max(...ends) : Math.min(...ends);
  const related = found.filter(
    ({ order }) => rest === undefined || (dir === "b" ? order > rest : order <= rest),
  );
  return { related: related.sort((a, b) => inDirection(dir, a, b)), rest };
}

/** What came before a stretch that goes forward: what relates to that may lie in it. */
async function before(
  storage: Storage,
  room: Nid,
  parents: readonly string[],
  { after }: Stretch,
  count: number,
): Promise<Related[]> {
  const stretch: Stretch = { dir: "b", after: Number.NEGATIVE_INFINITY, upTo: after };
  const pages = await relatedTo(storage, room, parents, stretch, count);
  const related = pages.flatMap((page) => page.related);
  return related.sort((a, b) => inDirection("b", a, b));
}

function distinct(related: readonly Related[]): Related[] {
  return [...new Map(related.map((each) => [each.nid, each])).values()];
}
