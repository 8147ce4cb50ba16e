import type { JsonObject } from "./json.ts";
import type { RoomVersionRules } from "./room-versions.ts";

/** What is asked of an `m.room.create` event here; a stripped state event has it too. */
export type CreateEvent = { readonly sender: string; readonly content: JsonObject };

/**
 * The creators of a room.
 * @returns up to v10 `content.creator` alone; in v11 the sender alone; from v12 the sender and then
 *   `additional_creators`. Empty where the create event does not say.
 * @see https://spec.matrix.org/v1.19/client-server-api/#mroomcreate
 */
export function roomCreators(create: CreateEvent, rules: RoomVersionRules): readonly string[] {
  if (!rules.creatorIsSender) {
    const { creator } = create.content;
    return typeof creator === "string" ? [creator] : [];
  }
  if (!rules.privilegedCreators) return [create.sender];
  const additional = create.content.additional_creators;
  if (!Array.isArray(additional)) return [create.sender];
  return [create.sender, ...additional.filter((creator) => typeof creator === "string")];
}
