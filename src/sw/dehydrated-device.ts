import * as v from "valibot";
import { jsonObject, limitParameter } from "../door/schemas.ts";
import { type Endpoint, endpoint } from "./endpoint.ts";

const path = "/_matrix/client/unstable/org.matrix.msc3814.v1/dehydrated_device";

const deviceIdAnswer = v.object({ device_id: v.string() });

const put = endpoint(
  {
    method: "PUT",
    path,
    auth: "user",
    limit: "write",
    body: v.object({
      device_id: v.string(),
      // Which algorithm it is, and what else there is to it, is the client's business.
      device_data: jsonObject,
      device_keys: jsonObject,
      one_time_keys: v.optional(jsonObject),
      fallback_keys: v.optional(jsonObject),
      initial_device_display_name: v.optional(v.string()),
    }),
    response: deviceIdAnswer,
  },
  ({ node, requester, body }) => node.keys.putDehydratedDevice(requester, body),
);

const get = endpoint(
  {
    method: "GET",
    path,
    auth: "user",
    limit: "read",
    response: v.object({ device_id: v.string(), device_data: jsonObject }),
  },
  ({ node, requester }) => node.keys.dehydratedDevice(requester),
);

const remove = endpoint(
  { method: "DELETE", path, auth: "user", limit: "write", response: deviceIdAnswer },
  ({ node, requester }) => node.keys.deleteDehydratedDevice(requester),
);

const events = endpoint(
  {
    method: "POST",
    path: `${path}/{deviceId}/events`,
    auth: "user",
    limit: "read",
    params: v.object({ deviceId: v.string() }),
    query: v.object({ limit: limitParameter(100, 100) }),
    body: v.object({ next_batch: v.optional(v.string()) }),
    optionalBody: true,
    response: v.object({ events: v.array(jsonObject), next_batch: v.optional(v.string()) }),
  },
  ({ node, requester, params, query, body }) =>
    node.keys.dehydratedDeviceEvents(requester, params.deviceId, body.next_batch, query.limit),
);

/** @see https://github.com/matrix-org/matrix-spec-proposals/pull/3814 */
export const dehydratedDeviceEndpoints: Endpoint[] = [put, get, remove, events];
