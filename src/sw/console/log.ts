import * as v from "valibot";
import type { LogQuery } from "../../worker-roomserver/monitor/api.ts";
import { type Endpoint, endpoint } from "../endpoint.ts";
import { timeoutParameter, untilGone } from "../sync.ts";
import { count, limitOf, numberOf, reads } from "./schemas.ts";

type Topic = NonNullable<LogQuery["topic"]>;
const topics = {
  ...{ room: true, receipt: true, typing: true, presence: true, accountData: true, profile: true },
  ...{
    mail: true,
    session: true,
    toDevice: true,
    deviceList: true,
    media: true,
    state: true,
    purge: true,
    history: true,
  },
} satisfies Record<Topic, true>;
const topic = v.picklist(Object.keys(topics) as Topic[]);

const position = v.pipe(count, v.description("a position of the log"));

const status = endpoint(
  {
    ...reads,
    operationId: "getLogStatus",
    summary: "Where the log stands, and who follows it how far.",
    path: "/_hearth/v1/log",
    response: v.strictObject({
      end: v.pipe(position, v.description("the newest position")),
      start: v.pipe(position, v.description("the log holds every entry after this")),
      readers: v.array(
        v.strictObject({ name: v.string(), offset: position, lag: v.pipe(count, v.description("entries")) }),
      ),
      waiting_syncs: count,
    }),
  },
  ({ node }) => node.monitor.logStatus(),
);

const entries = endpoint(
  {
    ...reads,
    operationId: "listLogEntries",
    summary: "A page of the log; at its end it waits for more, if asked to.",
    path: "/_hearth/v1/log/entries",
    query: v.object({
      after: numberOf(0),
      limit: limitOf(100, 500),
      topic: v.optional(topic),
      timeout: v.pipe(
        timeoutParameter,
        v.description("milliseconds to wait where there is nothing new, at most 25,000"),
      ),
    }),
    response: v.strictObject({
      entries: v.array(
        v.strictObject({
          position,
          topic,
          room_id: v.optional(v.string()),
          user_id: v.optional(v.string()),
          event_id: v.optional(v.string()),
          detail: v.optional(v.string()),
        }),
      ),
      next: v.pipe(position, v.description("`after` of the next page")),
      trimmed: v.pipe(v.boolean(), v.description("entries before these are not kept any more")),
    }),
  },
  ({ node, query, signal }) =>
    untilGone(node.monitor, signal, (call) =>
      node.monitor.log({ ...query, timeout: signal.aborted ? 0 : query.timeout }, call),
    ),
);

export const logEndpoints: Endpoint[] = [status, entries];
