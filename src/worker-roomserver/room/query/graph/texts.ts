import { notFound } from "../../../../matrix/errors.ts";
import type { EventNid } from "../../../storage/schema.ts";
import type { GraphParts } from "./parts.ts";

/** Events as JSON text. */
export async function texts({ events }: GraphParts, nids: readonly EventNid[]): Promise<string[]> {
  const found = await events.texts(nids);
  return found.map((text) => {
    if (text === undefined) throw notFound("The room has been removed from this server.");
    return text;
  });
}
