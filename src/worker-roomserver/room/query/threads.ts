import { invalidParam } from "../../../matrix/errors.ts";
import type { JsonObject } from "../../../matrix/json.ts";
import type { Pdu } from "../../../matrix/pdu.ts";
import { redact } from "../../../matrix/redaction.ts";
import { jsonBytes } from "../../node/json-bytes.ts";
import type { JsonBytes, Requester } from "../../node/requester.ts";
import { parsePositionToken, positionToken } from "../../node/tokens.ts";
import type { ThreadRow } from "../../storage/schema.ts";
import type { StoredEvent, ThreadsQuery } from "../api.ts";
import type { RoomParts } from "../parts.ts";
import { type Access, accessTo } from "./access.ts";
import { aggregations, formOf } from "./aggregations.ts";
import { threadRows } from "./thread-rows.ts";

/** Threads looked at for one answer: of each its root and replies are read. */
const SCANNED = 200;
const BATCH = 20;

/** The root of a thread, and what is said of it. */
type Thread = { root: StoredEvent; relations: JsonObject };

/**
 * `GET /rooms/{roomId}/threads`: the roots, those with the latest replies first. A token stands between two threads by
 * their latest replies: a thread with a new reply moves to the front, and the others stay where they are.
 *
 * Costs what `aggregations` of 200 roots costs at most; of few threads, of those that are shown.
 * @param ignored - users whose replies do not count, and whose roots are shown as if they were redacted
 * @throws MatrixError M_FORBIDDEN (403), M_INVALID_PARAM (400)
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1roomsroomidthreads
 */
export async function threads(
  parts: RoomParts,
  requester: Requester,
  roomId: string,
  query: ThreadsQuery,
  ignored: ReadonlySet<string> = new Set(),
): Promise<JsonBytes> {
  if (query.limit < 1) throw invalidParam('"limit" must be 1 or more.');
  const start = query.from === undefined ? Number.POSITIVE_INFINITY : parsePositionToken(query.from, "from");
  const access = await accessTo(parts, requester, roomId);
  const page = await readPage(parts, requester, access, { ...query, start, ignored });
  const roots = page.threads.map(({ root }) =>
    ignored.has(root.pdu.sender) ? withoutContent(root, access) : root,
  );
  const relations = new Map(page.threads.map(({ root, relations }) => [root.eventId, relations]));
  return jsonBytes({
    chunk: roots.map(await formOf(parts, requester, roots, relations, { form: "full" })),
    ...(page.next !== undefined && { next_batch: positionToken(page.next) }),
  });
}

async function readPage(
  parts: RoomParts,
  requester: Requester,
  access: Access,
  query: Omit<ThreadsQuery, "from"> & { start: number; ignored: ReadonlySet<string> },
): Promise<{ threads: Thread[]; next: number | undefined }> {
  const { limit, include, ignored } = query;
  const found: Thread[] = [];
  let from = query.start;
  for (let scanned = 0; ; ) {
    const count = Math.min(BATCH, limit - found.length);
    const { rows, rest } = await threadRows(parts, access.head, { from, count });
    const roots = await visibleRoots(parts, requester, rows, access);
    const relations = await aggregations(parts, requester, roots, { form: "full", ignored });
    for (const root of roots) {
      const about = relations.get(root.eventId);
      if (about !== undefined && isThread(about, include)) found.push({ root, relations: about });
    }
    scanned += rows.length;
    const isEnough = found.length === limit || scanned >= SCANNED || rows.length === 0;
    if (rest === undefined || isEnough) return { threads: found, next: rest };
    from = rest;
  }
}

async function visibleRoots(
  parts: RoomParts,
  requester: Requester,
  rows: readonly ThreadRow[],
  { head }: Access,
): Promise<StoredEvent[]> {
  const events = await parts.events.byIds(rows.map(({ root }) => root));
  const roots = events.filter(
    (event) => event !== undefined && event.room === head.nid && event.order !== 0,
  ) as StoredEvent[];
  return parts.visibility.visibleTo(requester.userId, roots);
}

function isThread({ "m.thread": thread }: JsonObject, include: ThreadsQuery["include"]): boolean {
  if (thread === undefined) return false;
  return include === "all" || (thread as { current_user_participated: boolean }).current_user_participated;
}

/** What is left of an event for who ignores its sender. */
function withoutContent(event: StoredEvent, { head }: Access): StoredEvent {
  return { ...event, pdu: redact(event.pdu, head.rules) as Pdu };
}
