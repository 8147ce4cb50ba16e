import * as v from "valibot";
import { emptyAnswer, jsonObject } from "../../door/schemas.ts";
import { type Endpoint, endpoint } from "../endpoint.ts";
import { bytes, count, flagOf, from, limitOf, nextBatch, reads, timestamp, writes } from "./schemas.ts";

const kind = v.picklist(["user", "guest", "appservice"]);

const listing = {
  user_id: v.string(),
  kind: v.pipe(kind, v.description("`appservice`: of an application service, a bridge's ghost as a rule")),
  displayname: v.optional(v.string()),
  created_ts: timestamp,
  admin: v.boolean(),
  locked: v.boolean(),
  suspended: v.boolean(),
  deactivated: v.boolean(),
};
const user = v.strictObject(listing);

const device = v.strictObject({
  device_id: v.string(),
  display_name: v.optional(v.string()),
  last_seen_ip: v.optional(v.string()),
  last_seen_ts: timestamp,
  dehydrated: v.optional(v.literal(true)),
});

const params = v.object({ userId: v.string() });

const list = endpoint(
  {
    ...reads,
    operationId: "listUsers",
    summary: "Accounts by user ID, also those that are deactivated. A page may be short before the last one.",
    path: "/_hearth/v1/users",
    query: v.object({
      search: v.optional(v.pipe(v.string(), v.description("part of the user ID or the display name"))),
      kind: v.optional(kind),
      admin: flagOf,
      locked: flagOf,
      suspended: flagOf,
      deactivated: flagOf,
      from,
      limit: limitOf(50, 200),
    }),
    response: v.strictObject({ users: v.array(user), next_batch: nextBatch }),
  },
  ({ node, query: { from, limit, ...filter } }) => node.usersConsole.list(filter, { from, limit }),
);

const create = endpoint(
  {
    ...writes,
    method: "POST",
    operationId: "createUser",
    summary: "Makes an account, whoever else may register.",
    path: "/_hearth/v1/users",
    body: v.object({
      username: v.string(),
      password: v.optional(v.pipe(v.string(), v.description("absent: nobody can log in until one is set"))),
      displayname: v.optional(v.string()),
      admin: v.optional(v.boolean()),
    }),
    response: user,
  },
  ({ node, request, body }) => node.usersConsole.create(request, body),
);

const get = endpoint(
  {
    ...reads,
    operationId: "getUser",
    summary: "One account, with its profile, its devices and what it has uploaded.",
    path: "/_hearth/v1/users/{userId}",
    params,
    response: v.strictObject({
      ...listing,
      has_password: v.boolean(),
      profile: jsonObject,
      devices: v.array(device),
      media: v.strictObject({ bytes, files: count }),
    }),
  },
  async ({ node, params: { userId } }) => {
    const [details, media] = await Promise.all([
      node.usersConsole.get(userId),
      node.mediaConsole.usageOf(userId),
    ]);
    return { ...details, media };
  },
);

const change = endpoint(
  {
    ...writes,
    method: "PUT",
    operationId: "changeUser",
    summary: "Makes an administrator or none, locks, suspends. The last administrator stays one.",
    path: "/_hearth/v1/users/{userId}",
    params,
    body: v.object({
      admin: v.optional(v.boolean()),
      locked: v.optional(v.boolean()),
      suspended: v.optional(v.boolean()),
    }),
    response: user,
  },
  ({ node, params, body }) => node.usersConsole.change(params.userId, body),
);

const setPassword = endpoint(
  {
    ...writes,
    method: "PUT",
    operationId: "setPassword",
    summary: "Gives the account a password.",
    path: "/_hearth/v1/users/{userId}/password",
    params,
    body: v.object({
      password: v.string(),
      logout_devices: v.optional(v.pipe(v.boolean(), v.description("ends all its logins")), true),
    }),
    response: emptyAnswer,
  },
  async ({ node, params, body: { password, logout_devices } }) => {
    await node.usersConsole.setPassword(params.userId, { password, logoutDevices: logout_devices });
    return {};
  },
);

const deactivate = endpoint(
  {
    ...writes,
    method: "POST",
    operationId: "deactivateUser",
    summary: "Closes the account for good: its logins end, its rooms are left. Its name stays taken.",
    path: "/_hearth/v1/users/{userId}/deactivate",
    params,
    body: v.object({
      erase: v.optional(
        v.pipe(v.boolean(), v.description("shows what it sent to nobody who has not seen it")),
        false,
      ),
    }),
    optionalBody: true,
    response: emptyAnswer,
  },
  async ({ node, request, params, body: { erase } }) => {
    await node.usersConsole.deactivate(request, params.userId, { erase });
    return {};
  },
);

const deleteDevices = endpoint(
  {
    ...writes,
    method: "DELETE",
    operationId: "deleteDevices",
    summary: "Ends all logins of the account.",
    path: "/_hearth/v1/users/{userId}/devices",
    params,
    response: emptyAnswer,
  },
  async ({ node, params }) => {
    await node.usersConsole.deleteDevices(params.userId);
    return {};
  },
);

const deleteDevice = endpoint(
  {
    ...writes,
    method: "DELETE",
    operationId: "deleteDevice",
    summary: "Ends one login.",
    path: "/_hearth/v1/users/{userId}/devices/{deviceId}",
    params: v.object({ userId: v.string(), deviceId: v.string() }),
    response: emptyAnswer,
  },
  async ({ node, params: { userId, deviceId } }) => {
    await node.usersConsole.deleteDevices(userId, [deviceId]);
    return {};
  },
);

const rooms = endpoint(
  {
    ...reads,
    operationId: "listRoomsOfUser",
    summary: "Rooms that the user has a membership in, by room ID.",
    path: "/_hearth/v1/users/{userId}/rooms",
    params,
    query: v.object({ from, limit: limitOf(100, 500) }),
    response: v.strictObject({
      rooms: v.array(
        v.strictObject({
          room_id: v.string(),
          membership: v.picklist(["join", "leave", "invite", "knock", "ban"]),
        }),
      ),
      next_batch: nextBatch,
    }),
  },
  ({ node, params, query }) => node.roomConsole.roomsOf(params.userId, query),
);

export const usersEndpoints: Endpoint[] = [
  ...[list, create, get, change, setPassword, deactivate],
  ...[deleteDevices, deleteDevice, rooms],
];
