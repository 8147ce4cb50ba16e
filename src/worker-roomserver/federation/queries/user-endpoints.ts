import * as v from "valibot";
import { jsonRecord } from "../../../door/schemas.ts";
import { forbidden, invalidParam, MatrixError, notFound } from "../../../matrix/errors.ts";
import { parseUserId, serverNameOf } from "../../../matrix/identifiers.ts";
import type { FederationContext } from "../context.ts";
import { type Endpoint, endpoint } from "../door/endpoint.ts";

/** What other servers ask about the users of this one. */
export function userEndpoints({ users, keys, serverName, settings }: FederationContext): Endpoint[] {
  const requireLocal = (userId: string) => {
    if (serverNameOf(parseUserId(userId)) === serverName) return;
    throw invalidParam(`Users of this server have IDs that end in :${serverName}.`);
  };

  return [
    /** @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1queryprofile */
    endpoint(
      {
        method: "GET",
        path: "/_matrix/federation/v1/query/profile",
        auth: "server",
        query: v.object({ user_id: v.string(), field: v.optional(v.string()) }),
      },
      async ({ query: { user_id: userId, field } }) => {
        if (!settings().profiles_for_servers)
          throw forbidden("This server does not tell others of profiles.");
        requireLocal(userId);
        const profile = await users.profile(userId);
        if (field === undefined) return profile;
        return Object.hasOwn(profile, field) ? { [field]: profile[field] } : {};
      },
    ),
    /** @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1queryquerytype */
    endpoint(
      {
        method: "GET",
        path: "/_matrix/federation/v1/query/{queryType}",
        auth: "server",
        params: v.object({ queryType: v.string() }),
      },
      async () => {
        throw notFound("This server answers no queries of that type.");
      },
    ),
    /** @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1openiduserinfo */
    endpoint(
      {
        method: "GET",
        path: "/_matrix/federation/v1/openid/userinfo",
        auth: "none",
        query: v.object({ access_token: v.optional(v.string()) }),
      },
      ({ query: { access_token: token } }) => {
        if (token === undefined) throw new MatrixError("M_MISSING_TOKEN", 401, "access_token is missing.");
        return users.openIdUser(token);
      },
    ),
    /** @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1userdevicesuserid */
    endpoint(
      {
        method: "GET",
        path: "/_matrix/federation/v1/user/devices/{userId}",
        auth: "server",
        params: v.object({ userId: v.string() }),
      },
      ({ params: { userId } }) => {
        requireLocal(userId);
        return keys.userDevices(userId);
      },
    ),
    /** @see https://spec.matrix.org/v1.19/server-server-api/#post_matrixfederationv1userkeysquery */
    endpoint(
      {
        method: "POST",
        path: "/_matrix/federation/v1/user/keys/query",
        auth: "server",
        body: v.object({ device_keys: jsonRecord(v.array(v.string())) }),
      },
      async ({ body }) => {
        const { device_keys, master_keys, self_signing_keys } = await keys.queryLocal(body.device_keys);
        return { device_keys, master_keys, self_signing_keys };
      },
    ),
    /** @see https://spec.matrix.org/v1.19/server-server-api/#post_matrixfederationv1userkeysclaim */
    endpoint(
      {
        method: "POST",
        path: "/_matrix/federation/v1/user/keys/claim",
        auth: "server",
        body: v.object({ one_time_keys: jsonRecord(jsonRecord(v.string())) }),
      },
      async ({ body }) => {
        // Two users of a server who claim a key of the same device send the same text, and must not get the same key:
        // nothing in a request tells that from one that has been sent twice, which costs a key.
        const { one_time_keys } = await keys.claimLocal(crypto.randomUUID(), body.one_time_keys);
        return { one_time_keys };
      },
    ),
  ];
}
