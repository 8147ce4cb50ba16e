import * as v from "valibot";
import { emptyAnswer, jsonObject } from "../door/schemas.ts";
import { type Endpoint, endpoint, Reply } from "./endpoint.ts";
import { doneOrChallenge } from "./uia.ts";

const deviceParams = v.object({ deviceId: v.string() });

const clientDevice = v.object({
  device_id: v.string(),
  display_name: v.optional(v.string()),
  last_seen_ip: v.optional(v.string()),
  last_seen_ts: v.number(),
  dehydrated: v.optional(v.literal(true)),
});

const getDevices = endpoint(
  {
    method: "GET",
    path: "/_matrix/client/v3/devices",
    auth: "guest",
    limit: "read",
    response: v.object({ devices: v.array(clientDevice) }),
  },
  async ({ node, requester }) => ({ devices: await node.users.devices(requester) }),
);

const getDevice = endpoint(
  {
    method: "GET",
    path: "/_matrix/client/v3/devices/{deviceId}",
    auth: "guest",
    limit: "read",
    params: deviceParams,
    response: clientDevice,
  },
  ({ node, requester, params }) => node.users.device(requester, params.deviceId),
);

const putDevice = endpoint(
  {
    method: "PUT",
    path: "/_matrix/client/v3/devices/{deviceId}",
    auth: "guest",
    limit: "write",
    params: deviceParams,
    body: v.object({ display_name: v.optional(v.string()) }),
    response: emptyAnswer,
  },
  async ({ node, requester, params, body }) => {
    const isNew = await node.users.renameDevice(requester, params.deviceId, body.display_name);
    return isNew ? new Reply(201, {}) : {};
  },
);

const deleteDevice = endpoint(
  {
    method: "DELETE",
    path: "/_matrix/client/v3/devices/{deviceId}",
    auth: "user",
    limit: "login",
    params: deviceParams,
    body: v.object({ auth: v.optional(jsonObject) }),
    optionalBody: true,
    response: jsonObject,
    revokes: true,
  },
  async ({ node, request, requester, params, body }) =>
    doneOrChallenge(await node.users.deleteDevices(request, requester, [params.deviceId], body.auth)),
);

const deleteDevices = endpoint(
  {
    method: "POST",
    path: "/_matrix/client/v3/delete_devices",
    auth: "user",
    limit: "login",
    body: v.object({ devices: v.array(v.string()), auth: v.optional(jsonObject) }),
    response: jsonObject,
    revokes: true,
  },
  async ({ node, request, requester, body }) =>
    doneOrChallenge(await node.users.deleteDevices(request, requester, body.devices, body.auth)),
);

/** @see https://spec.matrix.org/v1.19/client-server-api/#device-management */
export const deviceEndpoints: Endpoint[] = [getDevices, getDevice, putDevice, deleteDevice, deleteDevices];
