import { redact } from "../../../matrix/redaction.ts";
import { roomVersionRules } from "../../../matrix/room-versions.ts";
import type { RoomQueries, ServerView } from "../../room/query/graph/api.ts";
import type { EventNid } from "../../storage/schema.ts";

/** Events of an answer that are in memory together, each of up to 64 KiB and mostly of one. */
const READ_TOGETHER = 200;

type Queries = Pick<RoomQueries, "texts" | "versionOf">;

/** Events as a server gets them: as they were sent, or as redaction leaves what it may not see. */
export async function textsFor(
  roomQueries: Queries,
  roomId: string,
  views: readonly ServerView[],
): Promise<string[]> {
  const visible = views.filter(({ isVisible }) => isVisible).map(({ event }) => event.nid);
  const texts = new Map((await roomQueries.texts(visible)).map((text, i) => [visible[i]!, text]));
  if (visible.length === views.length) return [...texts.values()];
  const rules = roomVersionRules(await roomQueries.versionOf(roomId))!;
  return views.map(({ event }) => texts.get(event.nid) ?? JSON.stringify(redact(event.pdu, rules)));
}

/** A JSON array of events in pieces, each read when the one before has been sent. */
export async function* eventsInPieces(
  roomQueries: Pick<Queries, "texts">,
  nids: readonly EventNid[],
): AsyncGenerator<string> {
  // Those that came in together lie together. Of a state and an auth chain the order says nothing.
  const sorted = nids.toSorted((a, b) => a - b);
  yield "[";
  for (let at = 0; at < sorted.length; at += READ_TOGETHER) {
    const texts = await roomQueries.texts(sorted.slice(at, at + READ_TOGETHER));
    yield (at === 0 ? "" : ",") + texts.join(",");
  }
  yield "]";
}

/** The form of a transaction, in which single events and old ones are answered. */
export function transactionText(serverName: string, now: number, texts: readonly string[]): string[] {
  return [
    `{"origin":${JSON.stringify(serverName)},"origin_server_ts":${now},"pdus":[`,
    texts.join(","),
    "]}",
  ];
}
