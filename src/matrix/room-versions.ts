import {
  type RedactionRules,
  redactionV1,
  redactionV6,
  redactionV8,
  redactionV9,
  redactionV11,
} from "./redaction-rules.ts";

/**
 * What a room version decides. Nowhere else is a version's name compared: a rule asks one of these properties.
 * @see https://spec.matrix.org/v1.19/rooms/
 */
export type RoomVersionRules = {
  readonly id: string;
  /** What `GET /capabilities` says of it. */
  readonly stability: "stable" | "unstable";
  /**
   * `domain` (v1, v2): the sender's server chooses the id, sends it as `event_id`, and must sign the event
   * under the id's domain too; events refer to one another by `[id, hashes]` pairs.
   * `base64` (v3) and `base64url` (from v4): the id is the reference hash and is not sent.
   */
  readonly eventIdFormat: "domain" | "base64" | "base64url";
  /** From v6: an event that is not canonical JSON (floats, integers past ±(2^53 − 1)) is dropped. */
  readonly strictCanonicalJson: boolean;
  readonly stateResolution: "v1" | "v2" | "v2.1";
  readonly redaction: RedactionRules;
  /** Up to v5: `m.room.aliases` has an auth rule of its own and skips the membership and power checks. */
  readonly specialCaseAliasesAuth: boolean;
  /** Up to v2: the auth rules decide who may redact. From v3 on that is checked when a redaction is applied. */
  readonly redactionAuth: boolean;
  /** From v5: a key signs only events whose `origin_server_ts` it was valid at. */
  readonly enforceKeyValidity: boolean;
  /** From v6: `notifications` of `m.room.power_levels` is compared as `events` is. */
  readonly notificationsPowerLevels: boolean;
  /** From v7: membership `knock` and join rule `knock`. */
  readonly knocking: boolean;
  /** From v8: join rule `restricted` and `join_authorised_via_users_server`. */
  readonly restrictedJoins: boolean;
  /** From v10: join rule `knock_restricted`. */
  readonly knockRestricted: boolean;
  /** From v10: power levels are integers; before, strings that hold an integer are read as one. */
  readonly integerPowerLevels: boolean;
  /** From v11: the creator is the sender of the create event, whose `content.creator` is gone. */
  readonly creatorIsSender: boolean;
  /** From v11: a redaction names its target in `content.redacts`, not at the top level. */
  readonly redactsInContent: boolean;
  /** From v12: creators, the `additional_creators` among them, stand above every power level. */
  readonly privilegedCreators: boolean;
  /**
   * From v12: the room id is the create event's id with `!` for `$`; the create event has no `room_id`, and
   * other events do not list it in `auth_events`.
   */
  readonly roomIdIsCreateHash: boolean;
};

const v1: RoomVersionRules = {
  id: "1",
  stability: "stable",
  eventIdFormat: "domain",
  strictCanonicalJson: false,
  stateResolution: "v1",
  redaction: redactionV1,
  specialCaseAliasesAuth: true,
  redactionAuth: true,
  enforceKeyValidity: false,
  notificationsPowerLevels: false,
  knocking: false,
  restrictedJoins: false,
  knockRestricted: false,
  integerPowerLevels: false,
  creatorIsSender: false,
  redactsInContent: false,
  privilegedCreators: false,
  roomIdIsCreateHash: false,
};
const v2: RoomVersionRules = { ...v1, id: "2", stateResolution: "v2" };
const v3: RoomVersionRules = { ...v2, id: "3", eventIdFormat: "base64", redactionAuth: false };
const v4: RoomVersionRules = { ...v3, id: "4", eventIdFormat: "base64url" };
const v5: RoomVersionRules = { ...v4, id: "5", enforceKeyValidity: true };
const v6: RoomVersionRules = {
  ...v5,
  id: "6",
  strictCanonicalJson: true,
  redaction: redactionV6,
  specialCaseAliasesAuth: false,
  notificationsPowerLevels: true,
};
const v7: RoomVersionRules = { ...v6, id: "7", knocking: true };
const v8: RoomVersionRules = { ...v7, id: "8", restrictedJoins: true, redaction: redactionV8 };
const v9: RoomVersionRules = { ...v8, id: "9", redaction: redactionV9 };
const v10: RoomVersionRules = { ...v9, id: "10", knockRestricted: true, integerPowerLevels: true };
const v11: RoomVersionRules = {
  ...v10,
  id: "11",
  redaction: redactionV11,
  creatorIsSender: true,
  redactsInContent: true,
};
const v12: RoomVersionRules = {
  ...v11,
  id: "12",
  stateResolution: "v2.1",
  privilegedCreators: true,
  roomIdIsCreateHash: true,
};

const table: ReadonlyMap<string, RoomVersionRules> = new Map(
  [v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11, v12].map((rules) => [rules.id, Object.freeze(rules)]),
);

/** The versions that rooms here may have, oldest first. */
export const roomVersions: readonly string[] = [...table.keys()];

/** The version of a room whose creator names none. */
export const defaultRoomVersion = "12";

/** The rules of a room version, or undefined for a version that is not known here. */
export function roomVersionRules(id: string): RoomVersionRules | undefined {
  return table.get(id);
}
