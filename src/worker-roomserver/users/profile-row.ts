import type { UserId } from "../../matrix/identifiers.ts";
import type { JsonObject } from "../../matrix/json.ts";
import type { Write } from "../storage/api.ts";
import type { Nid, Position } from "../storage/schema.ts";

export type ProfileChange = {
  userId: UserId;
  /** The same user, interned. */
  user: Nid;
  /** The profile as it is then. */
  profile: JsonObject;
  /** What has changed in it. */
  field: string;
};

/** Stores a profile and tells the log. @returns the position of the change */
export function putProfile(write: Write, { userId, user, profile, field }: ProfileChange): Position {
  const p = write.append({ topic: "profile", user, detail: field });
  write.put("profiles", { json: JSON.stringify(profile), p }, userId);
  return p;
}
