import type { JsonObject } from "./json.ts";

/** A room key as a client has backed it up: what the server may know of it, and what only clients can read. */
export type KeyBackupData = {
  first_message_index: number;
  forwarded_count: number;
  is_verified: boolean;
  session_data: JsonObject;
};

/**
 * Whether a key takes the place of another of the same session. Of two that are alike the first stays, so that a client
 * that sends its keys again changes nothing.
 * @see https://spec.matrix.org/v1.19/client-server-api/#server-side-key-backups
 */
export function replacesKey(key: KeyBackupData, present: KeyBackupData): boolean {
  if (key.is_verified !== present.is_verified) return key.is_verified;
  if (key.first_message_index !== present.first_message_index) {
    return key.first_message_index < present.first_message_index;
  }
  return key.forwarded_count < present.forwarded_count;
}
