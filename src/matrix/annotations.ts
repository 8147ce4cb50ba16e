import { isJsonObject, type JsonObject } from "./json.ts";
import { relationOf } from "./threads.ts";

export type Annotation = { target: string; key: string };

/** What an event with a relation `m.annotation` says of another; undefined for one that has no such, or no key. */
export function annotationOf(content: JsonObject): Annotation | undefined {
  const relation = relationOf(content);
  const details = content["m.relates_to"];
  if (relation?.rel_type !== "m.annotation" || !isJsonObject(details)) return undefined;
  const { key } = details;
  return typeof key === "string" ? { target: relation.event_id, key } : undefined;
}
