import * as v from "valibot";
import { defaultRoomVersion, roomVersionRules, roomVersions } from "../matrix/room-versions.ts";
import { type Endpoint, endpoint } from "./endpoint.ts";
import { jsonObject } from "./schemas.ts";

/**
 * Every version there has been: clients look for the one they were written against, and some refuse a server
 * whose list shares nothing with theirs.
 */
const versions = [
  ...["r0.0.1", "r0.1.0", "r0.2.0", "r0.3.0", "r0.4.0", "r0.5.0", "r0.6.0", "r0.6.1"],
  ...Array.from({ length: 19 }, (_, index) => `v1.${index + 1}`),
];

/** Only what works here under its unstable name, or under its final one where clients still ask in this way. */
const unstableFeatures = {
  "org.matrix.msc3916.stable": true,
  "org.matrix.msc2285.stable": true,
  "uk.tcpip.msc4133.stable": true,
};

/** @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientversions */
const getVersions = endpoint(
  {
    method: "GET",
    path: "/_matrix/client/versions",
    auth: "optional",
    limit: "read",
    response: v.object({
      versions: v.array(v.string()),
      unstable_features: v.record(v.string(), v.boolean()),
    }),
  },
  async () => ({ versions, unstable_features: unstableFeatures }),
);

/** @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3capabilities */
const capabilities = endpoint(
  {
    method: "GET",
    path: "/_matrix/client/v3/capabilities",
    auth: "guest",
    limit: "read",
    response: v.object({ capabilities: jsonObject }),
  },
  async () => ({
    capabilities: {
      "m.room_versions": {
        default: defaultRoomVersion,
        available: Object.fromEntries(roomVersions.map((id) => [id, roomVersionRules(id)!.stability])),
      },
      "m.change_password": { enabled: true },
      "m.profile_fields": { enabled: true },
      "m.set_displayname": { enabled: true },
      "m.set_avatar_url": { enabled: true },
      "m.3pid_changes": { enabled: false },
      "m.get_login_token": { enabled: true },
      "m.forget_forced_upon_leave": { enabled: false },
    },
  }),
);

/**
 * No TURN server: clients then try without one.
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3voipturnserver
 */
const turnServer = endpoint(
  {
    method: "GET",
    path: "/_matrix/client/v3/voip/turnServer",
    auth: "guest",
    limit: "read",
    response: jsonObject,
  },
  async () => ({}),
);

/** @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3thirdpartyprotocols */
const thirdPartyProtocols = endpoint(
  {
    method: "GET",
    path: "/_matrix/client/v3/thirdparty/protocols",
    auth: "user",
    limit: "read",
    response: jsonObject,
  },
  async () => ({}),
);

/** @see https://spec.matrix.org/v1.19/client-server-api/#getwell-knownmatrixclient */
const wellKnown = (baseUrl: string) =>
  endpoint(
    { method: "GET", path: "/.well-known/matrix/client", auth: "none", limit: "none", response: jsonObject },
    async () => ({ "m.homeserver": { base_url: baseUrl } }),
  );

/** @param baseUrl - where clients reach this homeserver, without a slash at its end */
export const serverEndpoints = (baseUrl: string): Endpoint[] => [
  getVersions,
  capabilities,
  turnServer,
  thirdPartyProtocols,
  wellKnown(baseUrl),
];
