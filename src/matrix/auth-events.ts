import { isJsonObject, type JsonObject, type JsonValue } from "./json.ts";
import type { RoomVersionRules } from "./room-versions.ts";

/** What of an event decides which events authorise it. */
export type AuthSubject = {
  readonly type: string;
  readonly sender: string;
  readonly state_key?: string;
  readonly content: JsonObject;
};

/**
 * Selects the state that an event names in its `auth_events`: whatever of it the room has.
 * @returns `[type, state_key]` pairs, none twice; empty for a create event. Content of a wrong form selects less.
 * @see https://spec.matrix.org/v1.19/server-server-api/#auth-events-selection
 */
export function authTypesFor(
  event: AuthSubject,
  rules: RoomVersionRules,
): [type: string, stateKey: string][] {
  if (event.type === "m.room.create") return [];
  const types: [string, string][] = [
    ["m.room.power_levels", ""],
    ["m.room.member", event.sender],
  ];
  // From v12 on the room id names the create event.
  if (!rules.roomIdIsCreateHash) types.unshift(["m.room.create", ""]);
  if (event.type === "m.room.member") {
    for (const added of memberAuthTypes(event, rules)) {
      if (!types.some(([type, stateKey]) => type === added[0] && stateKey === added[1])) types.push(added);
    }
  }
  return types;
}

function* memberAuthTypes(event: AuthSubject, rules: RoomVersionRules): Generator<[string, string]> {
  const { membership, third_party_invite: invite, join_authorised_via_users_server: via } = event.content;
  if (event.state_key !== undefined) yield ["m.room.member", event.state_key];
  if (membership === "join" || membership === "invite" || membership === "knock") {
    yield ["m.room.join_rules", ""];
  }
  const token = signedToken(invite);
  if (membership === "invite" && token !== undefined) yield ["m.room.third_party_invite", token];
  if (membership === "join" && rules.restrictedJoins && typeof via === "string") yield ["m.room.member", via];
}

function signedToken(invite: JsonValue | undefined): string | undefined {
  const signed = isJsonObject(invite) ? invite.signed : undefined;
  const token = isJsonObject(signed) ? signed.token : undefined;
  return typeof token === "string" ? token : undefined;
}
