import { badJson } from "./errors.ts";
import { parsePdu } from "./event-format.ts";
import { isUserId } from "./identifiers.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "./json.ts";
import type { RoomVersionRules } from "./room-versions.ts";
import type { EventDraft } from "./signing.ts";

/** What a user does to their own membership through a server that is in the room. */
export type OwnMembership = "join" | "knock" | "leave";

export type MemberWish = {
  roomId: string;
  userId: string;
  membership: OwnMembership;
  /** What else the member event says: profile, reason. */
  content: JsonObject;
  /** Milliseconds since 1970. */
  ts: number;
  /** For room versions 1 and 2, where servers make ids up. */
  eventId: string;
};

/**
 * The member event that a server in the room has made a template for. Where it stands in the room's graph, and who
 * authorises a restricted join, only that server knows; all else is what the user wishes, whatever the template says.
 * @param template - `event` of the answer to `make_join`, `make_knock` or `make_leave`; unchecked
 * @throws {MatrixError} M_BAD_JSON (400) for a template of another event than was asked for, or of none at all;
 *   M_TOO_LARGE (413)
 * @see https://spec.matrix.org/v1.19/server-server-api/#joining-rooms
 */
export function memberDraft(
  template: JsonValue | undefined,
  wish: MemberWish,
  rules: RoomVersionRules,
): EventDraft {
  if (!isJsonObject(template)) throw badJson("There is no template of an event.");
  const fixed = {
    type: "m.room.member",
    room_id: wish.roomId,
    sender: wish.userId,
    state_key: wish.userId,
  } as const;
  for (const [name, value] of Object.entries(fixed)) {
    if (template[name] !== value) throw badJson(`The template's ${name} is another than was asked for.`);
  }
  const offered = isJsonObject(template.content) ? template.content : {};
  if (offered.membership !== wish.membership) {
    throw badJson(`The template is not of a membership that is ${wish.membership}.`);
  }
  const { join_authorised_via_users_server: authoriser } = offered;
  const isRestricted = wish.membership === "join" && rules.restrictedJoins && isUserId(authoriser);
  const draft = {
    ...fixed,
    content: {
      ...wish.content,
      ...(isRestricted && { join_authorised_via_users_server: authoriser }),
      membership: wish.membership,
    },
    origin_server_ts: wish.ts,
    depth: template.depth,
    prev_events: template.prev_events,
    auth_events: template.auth_events,
    ...(rules.eventIdFormat === "domain" && { event_id: wish.eventId }),
  } as EventDraft;
  parsePdu({ ...draft, hashes: { sha256: "" }, signatures: {} }, rules);
  return draft;
}
