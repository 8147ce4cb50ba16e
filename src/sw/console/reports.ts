import * as v from "valibot";
import { emptyAnswer } from "../../door/schemas.ts";
import { notFound } from "../../matrix/errors.ts";
import { type Endpoint, endpoint } from "../endpoint.ts";
import { count, limitOf, reads, timestamp, writes } from "./schemas.ts";

const report = v.strictObject({
  id: v.pipe(count, v.description("higher is later")),
  by: v.pipe(v.string(), v.description("user ID of who complains")),
  at: timestamp,
  reason: v.string(),
  score: v.optional(v.pipe(v.number(), v.description("-100, the worst, to 0; from older clients"))),
  room_id: v.optional(v.string()),
  event_id: v.optional(v.string()),
  user_id: v.optional(v.string()),
});

const path = "/_hearth/v1/reports";
const params = v.object({ reportId: v.string() });

const list = endpoint(
  {
    ...reads,
    operationId: "listReports",
    summary: "What users complain of, the newest first.",
    path,
    query: v.object({
      from: v.optional(v.pipe(v.string(), v.regex(/^\d{1,15}$/, "should be the `next_batch` of a page"))),
      limit: limitOf(50, 500),
    }),
    response: v.strictObject({ reports: v.array(report), next_batch: v.optional(v.string()) }),
  },
  async ({ node, query: { from, limit } }) => {
    const page = { limit, ...(from !== undefined && { from: Number(from) }) };
    const { reports, next } = await node.reports.list(page);
    return { reports, ...(next !== undefined && { next_batch: String(next) }) };
  },
);

const get = endpoint(
  {
    ...reads,
    operationId: "getReport",
    summary: "One report.",
    path: `${path}/{reportId}`,
    params,
    response: report,
  },
  ({ node, params }) => node.reports.get(numberOf(params.reportId)),
);

const dismiss = endpoint(
  {
    ...writes,
    method: "DELETE",
    operationId: "dismissReport",
    summary: "Removes a report that has been dealt with.",
    path: `${path}/{reportId}`,
    params,
    response: emptyAnswer,
  },
  async ({ node, params }) => {
    await node.reports.dismiss(numberOf(params.reportId));
    return {};
  },
);

function numberOf(id: string): number {
  if (/^\d{1,15}$/.test(id)) return Number(id);
  throw notFound("There is no such report.");
}

export const reportsConsoleEndpoints: Endpoint[] = [list, get, dismiss];
