import * as v from "valibot";
import { emptyAnswer, jsonObject, jsonRecord, writtenAnswer } from "../door/schemas.ts";
import { type Endpoint, endpoint } from "./endpoint.ts";

const versions = "/_matrix/client/v3/room_keys/version";
const keys = "/_matrix/client/v3/room_keys/keys";

const method = v.object({ algorithm: v.string(), auth_data: jsonObject });
const backupInfo = v.object({
  algorithm: v.string(),
  auth_data: jsonObject,
  count: v.number(),
  etag: v.string(),
  version: v.string(),
});

const count = v.pipe(
  v.number(),
  v.safeInteger("should be an integer"),
  v.minValue(0, "should not be negative"),
);
const keyData = v.object({
  first_message_index: count,
  forwarded_count: count,
  is_verified: v.boolean(),
  session_data: jsonObject,
});
const roomKeys = v.object({ sessions: jsonRecord(keyData) });

const versionParams = v.object({ version: v.string() });
const ofVersion = v.object({ version: v.string() });
const ofRoom = v.object({ roomId: v.string() });
const ofSession = v.object({ roomId: v.string(), sessionId: v.string() });
const backupState = v.object({ count: v.number(), etag: v.string() });

/** @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3room_keysversion */
const createVersion = endpoint(
  { method: "POST", path: versions, auth: "user", limit: "write", body: method, response: versionParams },
  ({ node, request, requester, body }) => node.keyBackup.create(request, requester, body),
);

/** @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3room_keysversion */
const getCurrentVersion = endpoint(
  { method: "GET", path: versions, auth: "user", limit: "read", response: backupInfo },
  ({ node, requester }) => node.keyBackup.info(requester, undefined),
);

/** @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3room_keysversionversion */
const getVersion = endpoint(
  {
    method: "GET",
    path: `${versions}/{version}`,
    auth: "user",
    limit: "read",
    params: versionParams,
    response: backupInfo,
  },
  ({ node, requester, params }) => node.keyBackup.info(requester, params.version),
);

/** @see https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3room_keysversionversion */
const updateVersion = endpoint(
  {
    method: "PUT",
    path: `${versions}/{version}`,
    auth: "user",
    limit: "write",
    params: versionParams,
    body: v.object({ ...method.entries, version: v.optional(v.string()) }),
    response: emptyAnswer,
  },
  async ({ node, requester, params, body }) => {
    await node.keyBackup.update(requester, params.version, body);
    return {};
  },
);

/** @see https://spec.matrix.org/v1.19/client-server-api/#delete_matrixclientv3room_keysversionversion */
const deleteVersion = endpoint(
  {
    method: "DELETE",
    path: `${versions}/{version}`,
    auth: "user",
    limit: "write",
    params: versionParams,
    response: emptyAnswer,
  },
  async ({ node, requester, params }) => {
    await node.keyBackup.delete(requester, params.version);
    return {};
  },
);

/** @see https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3room_keyskeys */
const putAll = endpoint(
  {
    method: "PUT",
    path: keys,
    auth: "user",
    limit: "write",
    query: ofVersion,
    body: v.object({ rooms: jsonRecord(roomKeys) }),
    response: backupState,
  },
  ({ node, requester, query, body }) => {
    const rooms = Object.entries(body.rooms).map(([roomId, { sessions }]) => [roomId, sessions] as const);
    return node.keyBackup.putKeys(requester, query.version, Object.fromEntries(rooms));
  },
);

/** @see https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3room_keyskeysroomid */
const putRoom = endpoint(
  {
    method: "PUT",
    path: `${keys}/{roomId}`,
    auth: "user",
    limit: "write",
    params: ofRoom,
    query: ofVersion,
    body: roomKeys,
    response: backupState,
  },
  ({ node, requester, params: { roomId }, query, body }) =>
    node.keyBackup.putKeys(requester, query.version, { [roomId]: body.sessions }),
);

/** @see https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3room_keyskeysroomidsessionid */
const putSession = endpoint(
  {
    method: "PUT",
    path: `${keys}/{roomId}/{sessionId}`,
    auth: "user",
    limit: "write",
    params: ofSession,
    query: ofVersion,
    body: keyData,
    response: backupState,
  },
  ({ node, requester, params: { roomId, sessionId }, query, body }) =>
    node.keyBackup.putKeys(requester, query.version, { [roomId]: { [sessionId]: body } }),
);

/** The keys of all rooms, of one, or of one session: the same question of more or less. */
const places = [
  { path: keys, params: v.object({}) },
  { path: `${keys}/{roomId}`, params: ofRoom },
  { path: `${keys}/{roomId}/{sessionId}`, params: ofSession },
] as const;

/** @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3room_keyskeys */
const getKeys = places.map(({ path, params }) =>
  endpoint(
    { method: "GET", path, auth: "user", limit: "read", params, query: ofVersion, response: writtenAnswer },
    ({ node, requester, params: which, query }) => node.keyBackup.keys(requester, query.version, which),
  ),
);

/** @see https://spec.matrix.org/v1.19/client-server-api/#delete_matrixclientv3room_keyskeys */
const deleteKeys = places.map(({ path, params }) =>
  endpoint(
    { method: "DELETE", path, auth: "user", limit: "write", params, query: ofVersion, response: backupState },
    ({ node, requester, params: which, query }) => node.keyBackup.deleteKeys(requester, query.version, which),
  ),
);

/** @see https://spec.matrix.org/v1.19/client-server-api/#server-side-key-backups */
export const keyBackupEndpoints: Endpoint[] = [
  createVersion,
  getCurrentVersion,
  getVersion,
  updateVersion,
  deleteVersion,
  putAll,
  putRoom,
  putSession,
  ...getKeys,
  ...deleteKeys,
];
