import { isJsonObject, type JsonObject } from "./json.ts";

/** What receipts and counts call everything that is in no thread. */
export const MAIN_TIMELINE = "main";

/** Relations are followed this far to find a thread, as the spec recommends. */
const MAX_HOPS = 3;

/** `m.relates_to` of an event; undefined where there is none that names an event and how it is related. */
export function relationOf(content: JsonObject): { rel_type: string; event_id: string } | undefined {
  const relation = content["m.relates_to"];
  if (!isJsonObject(relation)) return undefined;
  const { rel_type, event_id } = relation;
  return typeof rel_type === "string" && typeof event_id === "string" ? { rel_type, event_id } : undefined;
}

/** Where an event belongs. */
export type ThreadPlace = {
  /** The thread's root, or `main`. */
  thread: string;
  /** The events that it was found through: those it is related to, directly or through others. */
  parents: string[];
};

/**
 * Finds the thread of an event: it has a relation `m.thread`, or is related, through at most three others, to an
 * event that has. A root is itself in the main timeline.
 * @param contentOf - the content of an event of the same room; undefined if there is none
 * @see https://spec.matrix.org/v1.19/client-server-api/#threaded-read-receipts
 */
export async function placeInThreads(
  content: JsonObject,
  contentOf: (eventId: string) => Promise<JsonObject | undefined>,
): Promise<ThreadPlace> {
  const parents: string[] = [];
  let current: JsonObject | undefined = content;
  while (current !== undefined) {
    const relation = relationOf(current);
    if (relation === undefined) break;
    parents.push(relation.event_id);
    if (relation.rel_type === "m.thread") return { thread: relation.event_id, parents };
    if (parents.length > MAX_HOPS) break;
    current = await contentOf(relation.event_id);
  }
  return { thread: MAIN_TIMELINE, parents };
}
