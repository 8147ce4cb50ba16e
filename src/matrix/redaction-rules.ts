/** A way down into an object: `["third_party_invite", "signed"]`. */
type KeyPath = readonly string[];

/** What redaction leaves of an event. Everything that is not named here goes. */
export type RedactionRules = {
  /** Keys of the event itself. */
  readonly topLevel: readonly string[];
  /** By event type, what stays of `content`: everything, or these. A type that is missing keeps nothing. */
  readonly content: { readonly [eventType: string]: "all" | readonly KeyPath[] };
};

const keys = (...names: string[]): readonly KeyPath[] => names.map((name) => [name]);

/** @see https://spec.matrix.org/v1.19/rooms/v1/#redactions */
export const redactionV1: RedactionRules = {
  topLevel: [
    "event_id",
    "type",
    "room_id",
    "sender",
    "state_key",
    "content",
    "hashes",
    "signatures",
    "depth",
    "prev_events",
    "prev_state",
    "auth_events",
    "origin",
    "origin_server_ts",
    "membership",
  ],
  content: {
    "m.room.member": keys("membership"),
    "m.room.create": keys("creator"),
    "m.room.join_rules": keys("join_rule"),
    "m.room.power_levels": keys(
      "ban",
      "events",
      "events_default",
      "kick",
      "redact",
      "state_default",
      "users",
      "users_default",
    ),
    "m.room.aliases": keys("aliases"),
    "m.room.history_visibility": keys("history_visibility"),
  },
};

/** `m.room.aliases` lost its meaning. @see https://spec.matrix.org/v1.19/rooms/v6/#redactions */
export const redactionV6: RedactionRules = {
  ...redactionV1,
  content: { ...redactionV1.content, "m.room.aliases": [] },
};

/** `allow` of restricted rooms stays. @see https://spec.matrix.org/v1.19/rooms/v8/#redactions */
export const redactionV8: RedactionRules = {
  ...redactionV6,
  content: { ...redactionV6.content, "m.room.join_rules": keys("join_rule", "allow") },
};

/** What authorised a restricted join stays. @see https://spec.matrix.org/v1.19/rooms/v9/#redactions */
export const redactionV9: RedactionRules = {
  ...redactionV8,
  content: {
    ...redactionV8.content,
    "m.room.member": keys("membership", "join_authorised_via_users_server"),
  },
};

const obsoleteSinceV11 = new Set(["origin", "membership", "prev_state"]);

/** The clean-up of MSC2174, 2175, 2176 and 3821. @see https://spec.matrix.org/v1.19/rooms/v11/#redactions */
export const redactionV11: RedactionRules = {
  topLevel: redactionV9.topLevel.filter((key) => !obsoleteSinceV11.has(key)),
  content: {
    ...redactionV9.content,
    "m.room.member": [
      ...keys("membership", "join_authorised_via_users_server"),
      ["third_party_invite", "signed"],
    ],
    "m.room.create": "all",
    "m.room.power_levels": keys(
      "ban",
      "events",
      "events_default",
      "invite",
      "kick",
      "redact",
      "state_default",
      "users",
      "users_default",
    ),
    "m.room.redaction": keys("redacts"),
  },
};
