import { parseRoomEventFilter, passesRoomLists, type RoomEventFilter } from "../../matrix/filters.ts";
import { matchesWildcards } from "../../matrix/wildcards.ts";
import type { Names } from "../storage/api.ts";
import type { Nid } from "../storage/schema.ts";
import type { RoomEventsCriteria } from "./api.ts";
import { KEYS, TYPES } from "./documents.ts";
import { type Cursor, type OrderBy, parseCursor } from "./order.ts";
import type { Wanted } from "./scan.ts";
import { parseSearchTerm } from "./terms.ts";

/** Results of a page, unless the client wants fewer or more; and at most. */
const PAGE = 10;
const LARGEST_PAGE = 50;
/** Events on one side of a result, and what is shown where the client does not say. */
const LARGEST_CONTEXT = 20;
const CONTEXT = 5;

/** A search as it is carried out. */
export type Query = {
  wanted: Wanted;
  orderBy: OrderBy;
  limit: number;
  after: Cursor | undefined;
  filter: RoomEventFilter;
  context: { before: number; after: number; withProfiles: boolean } | undefined;
  withState: boolean;
  groupBy: ReadonlySet<"room_id" | "sender">;
};

/** @throws MatrixError M_BAD_JSON for a wrong filter, M_INVALID_PARAM for a wrong token or term (400) */
export async function parseQuery(
  criteria: RoomEventsCriteria,
  nextBatch: string | undefined,
  names: Names,
  ignored: ReadonlySet<string>,
): Promise<Query> {
  const filter = parseRoomEventFilter(criteria.filter ?? {});
  const after = nextBatch === undefined ? undefined : parseCursor(nextBatch);
  const keys = KEYS.map(
    (key, i) => (criteria.keys?.includes(key) ?? true) && passesTypes(filter, TYPES[i]!),
  ) as [boolean, boolean, boolean];
  const { event_context: context, groupings } = criteria;
  return {
    wanted: {
      phrases: parseSearchTerm(criteria.search_term),
      keys,
      senders: await sendersOf(filter, after, names),
      notSenders: await nidsOf([...(filter.not_senders ?? []), ...ignored], names),
      hasUrl: filter.contains_url,
    },
    orderBy: criteria.order_by ?? "rank",
    // A page of none would never end.
    limit: Math.min(Math.max(filter.limit ?? PAGE, 1), LARGEST_PAGE),
    after,
    filter,
    context: context && {
      before: Math.min(context.before_limit ?? CONTEXT, LARGEST_CONTEXT),
      after: Math.min(context.after_limit ?? CONTEXT, LARGEST_CONTEXT),
      withProfiles: context.include_profile ?? false,
    },
    withState: criteria.include_state ?? false,
    groupBy: new Set((groupings?.group_by ?? []).map(({ key }) => key)),
  };
}

/** Whether the page may have results of the room at all. */
export function mayBeIn({ filter, after }: Query, room: Nid, roomId: string): boolean {
  if (after?.group?.key === "room_id" && after.group.value !== room) return false;
  return passesRoomLists(filter, roomId);
}

function passesTypes({ types, not_types }: RoomEventFilter, type: string): boolean {
  if (not_types?.some((pattern) => matchesWildcards(pattern, type))) return false;
  return types?.some((pattern) => matchesWildcards(pattern, type)) ?? true;
}

async function sendersOf(
  { senders }: RoomEventFilter,
  after: Cursor | undefined,
  names: Names,
): Promise<ReadonlySet<Nid> | undefined> {
  const listed = senders && (await nidsOf(senders, names));
  if (after?.group?.key !== "sender") return listed;
  const { value } = after.group;
  return new Set((listed?.has(value) ?? true) ? [value] : []);
}

/** Who has never been met here has sent nothing. */
async function nidsOf(userIds: readonly string[], names: Names): Promise<ReadonlySet<Nid>> {
  const nids = await Promise.all(userIds.map((userId) => names.find(userId)));
  return new Set(nids.filter((nid) => nid !== undefined));
}
