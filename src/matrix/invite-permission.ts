import type { JsonObject } from "./json.ts";

/** The account data in which a user says whose invites they want. */
export const INVITE_PERMISSION = "m.invite_permission_config";

/**
 * Whether a user wants no invites at all. What is missing, or not known, lets them come.
 * @param content - of their `m.invite_permission_config`
 * @see https://spec.matrix.org/v1.19/client-server-api/#invite-permission
 */
export function blocksInvites(content: JsonObject | undefined): boolean {
  return content?.default_action === "block";
}
