import * as v from "valibot";
import { jsonObject } from "../door/schemas.ts";
import type { JsonObject } from "../matrix/json.ts";
import { roomVersionRules, roomVersions } from "../matrix/room-versions.ts";
import type { Requester } from "../worker-roomserver/node/requester.ts";
import { type Endpoint, endpoint } from "./endpoint.ts";

const capabilities = endpoint(
  {
    method: "GET",
    path: "/_matrix/client/v3/capabilities",
    auth: "guest",
    limit: "read",
    response: v.object({ capabilities: jsonObject }),
  },
  async ({ node, requester }) => ({
    capabilities: capabilitiesOf(requester, (await node.info()).roomVersion),
  }),
);

/** What who asks may do: a guest has no password, and a profile of a name alone. */
function capabilitiesOf({ kind, admin }: Requester, roomVersion: string): JsonObject {
  const enabled = kind !== "guest";
  return {
    "m.room_versions": {
      default: roomVersion,
      available: Object.fromEntries(roomVersions.map((id) => [id, roomVersionRules(id)!.stability])),
    },
    "m.change_password": { enabled },
    "m.profile_fields": enabled ? { enabled } : { enabled: true, allowed: ["displayname"] },
    "m.set_displayname": { enabled: true },
    "m.set_avatar_url": { enabled },
    "m.3pid_changes": { enabled: false },
    "m.get_login_token": { enabled },
    "m.forget_forced_upon_leave": { enabled: false },
    ...(admin && { "m.account_moderation": { suspend: true, lock: true } }),
  };
}

/** @see https://spec.matrix.org/v1.19/client-server-api/#capabilities-negotiation */
export const capabilitiesEndpoints: Endpoint[] = [capabilities];
