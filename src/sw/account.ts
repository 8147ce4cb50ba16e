import * as v from "valibot";
import { jsonObject } from "../door/schemas.ts";
import { type Endpoint, endpoint } from "./endpoint.ts";
import { refusedValidations } from "./threepid-validation.ts";
import { doneOrChallenge } from "./uia.ts";

const whoami = endpoint(
  {
    method: "GET",
    path: "/_matrix/client/v3/account/whoami",
    auth: "guest",
    limit: "read",
    response: v.object({ user_id: v.string(), device_id: v.optional(v.string()), is_guest: v.boolean() }),
  },
  async ({ requester: { userId, deviceId, kind } }) => ({
    user_id: userId,
    // An application service need not name a device.
    ...(deviceId !== undefined && { device_id: deviceId }),
    is_guest: kind === "guest",
  }),
);

const changePassword = endpoint(
  {
    method: "POST",
    path: "/_matrix/client/v3/account/password",
    auth: "user",
    limit: "login",
    body: v.object({
      auth: v.optional(jsonObject),
      new_password: v.string(),
      logout_devices: v.optional(v.boolean()),
    }),
    response: jsonObject,
    revokes: true,
  },
  async ({ node, request, requester, body }) =>
    doneOrChallenge(await node.users.changePassword(request, requester, body)),
);

const deactivate = endpoint(
  {
    method: "POST",
    path: "/_matrix/client/v3/account/deactivate",
    auth: "user",
    limit: "login",
    body: v.object({ auth: v.optional(jsonObject), erase: v.optional(v.boolean()) }),
    optionalBody: true,
    response: v.object({ id_server_unbind_result: v.literal("success") }),
    revokes: true,
  },
  async ({ node, request, requester, body }) =>
    doneOrChallenge(await node.users.deactivate(request, requester, body)),
);

/** @see https://spec.matrix.org/v1.19/client-server-api/#legacy-account-management */
export const accountEndpoints: Endpoint[] = [
  whoami,
  changePassword,
  // There is no address by which someone who has forgotten their password could be known.
  ...refusedValidations("/account/password", "M_THREEPID_NOT_FOUND", 400),
  deactivate,
];
