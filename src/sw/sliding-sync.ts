import * as v from "valibot";
import { jsonRecord, objectOf, writtenAnswer } from "../door/schemas.ts";
import type { StatePair } from "../worker-roomserver/sync/sliding/api.ts";
import { type Endpoint, endpoint } from "./endpoint.ts";
import { presenceParameter, timeoutParameter, untilGone } from "./sync.ts";

const MOST_LISTS = 100;
const LONGEST_LIST_NAME = 64;
const MOST_EVENTS = 1_000;

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const roomConfig = {
  timeline_limit: v.pipe(count, v.maxValue(MOST_EVENTS)),
  required_state: v.pipe(
    v.array(v.strictTuple([v.string(), v.string()])),
    v.transform((pairs): StatePair[] => pairs),
  ),
};
/** Clients that know nothing better send null for what they do not say. */
const maybe = <S extends v.GenericSchema>(schema: S) =>
  v.optional(
    v.pipe(
      v.nullish(schema),
      v.transform((value) => value ?? undefined),
    ),
  );

const list = objectOf({
  ...roomConfig,
  ranges: maybe(v.array(v.strictTuple([count, count]))),
  slow_get_all_rooms: maybe(v.boolean()),
  filters: maybe(
    objectOf({
      is_dm: maybe(v.boolean()),
      is_encrypted: maybe(v.boolean()),
      is_invite: maybe(v.boolean()),
      spaces: maybe(v.array(v.string())),
      room_types: maybe(v.array(v.nullable(v.string()))),
      not_room_types: maybe(v.array(v.nullable(v.string()))),
      room_name_like: maybe(v.string()),
      tags: maybe(v.array(v.string())),
      not_tags: maybe(v.array(v.string())),
    }),
  ),
});

const enabled = maybe(v.boolean());
const ofRooms = maybe(
  objectOf({ enabled, lists: maybe(v.array(v.string())), rooms: maybe(v.array(v.string())) }),
);

const body = v.object({
  conn_id: maybe(v.string()),
  txn_id: maybe(v.string()),
  lists: maybe(
    jsonRecord(list, (names) =>
      names.length <= MOST_LISTS && names.every((name) => name.length <= LONGEST_LIST_NAME)
        ? undefined
        : `should have at most ${MOST_LISTS} lists, with names of at most ${LONGEST_LIST_NAME} characters`,
    ),
  ),
  room_subscriptions: maybe(jsonRecord(objectOf(roomConfig))),
  extensions: maybe(
    objectOf({
      to_device: maybe(objectOf({ enabled, limit: maybe(count), since: maybe(v.string()) })),
      e2ee: maybe(objectOf({ enabled })),
      account_data: ofRooms,
      receipts: ofRooms,
      typing: ofRooms,
    }),
  ),
});

/** @see https://github.com/matrix-org/matrix-spec-proposals/blob/main/proposals/4186-simplified-sliding-sync.md */
const slidingSync = endpoint(
  {
    method: "POST",
    path: "/_matrix/client/unstable/org.matrix.simplified_msc3575/sync",
    auth: "guest",
    limit: "none", // as /sync
    query: v.object({
      pos: v.optional(v.string()),
      timeout: timeoutParameter,
      set_presence: presenceParameter,
    }),
    body,
    response: writtenAnswer,
  },
  ({ node, requester, query, body: asked, signal }) =>
    untilGone(node.sync, signal, (name) =>
      node.sync.sliding(
        requester,
        {
          ...asked,
          pos: query.pos,
          timeout: signal.aborted ? 0 : query.timeout,
          setPresence: query.set_presence,
        },
        name,
      ),
    ),
);

export const slidingSyncEndpoints: Endpoint[] = [slidingSync];
