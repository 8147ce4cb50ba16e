import * as v from "valibot";
import { emptyAnswer } from "../../door/schemas.ts";
import { type Endpoint, endpoint } from "../endpoint.ts";
import { amount, bytes, count, from, limitOf, nextBatch, reads, timestamp, writes } from "./schemas.ts";

const item = v.strictObject({
  server_name: v.string(),
  media_id: v.string(),
  user_id: v.optional(v.pipe(v.string(), v.description("absent for what the server has fetched itself"))),
  created_ts: timestamp,
  size: v.pipe(bytes, v.description("bytes; 0 for what is still to be uploaded")),
  content_type: v.string(),
  upload_name: v.optional(v.string()),
  expires_ts: v.optional(v.pipe(timestamp, v.description("when it goes by itself: milliseconds since 1970"))),
  is_uploaded: v.boolean(),
  is_quarantined: v.pipe(v.boolean(), v.description("kept, and shown to nobody")),
  is_protected: v.pipe(v.boolean(), v.description("neither quarantined nor removed")),
});

const params = v.object({ serverName: v.string(), mediaId: v.string() });
const path = "/_hearth/v1/media/{serverName}/{mediaId}";

const list = endpoint(
  {
    ...reads,
    operationId: "listMedia",
    summary: "Media, the newest first: all of it, or what a user has uploaded.",
    path: "/_hearth/v1/media",
    query: v.object({ user_id: v.optional(v.string()), from, limit: limitOf(50, 500) }),
    response: v.strictObject({ media: v.array(item), next_batch: nextBatch }),
  },
  ({ node, query: { user_id: userId, from, limit } }) =>
    node.mediaConsole.list({
      limit,
      ...(userId !== undefined && { userId }),
      ...(from !== undefined && { from }),
    }),
);

const limits = v.strictObject({
  upload_bytes: v.pipe(bytes, v.description("of one upload")),
  user_bytes: v.pipe(bytes, v.description("what one user may have here")),
  user_files: count,
  fetched_bytes: v.pipe(bytes, v.description("what the server fetches for itself")),
  total_bytes: bytes,
});

const totals = endpoint(
  {
    ...reads,
    operationId: "getMediaTotals",
    summary: "How much media there is, and how much there may be.",
    path: "/_hearth/v1/media/totals",
    response: v.strictObject({
      ...{ local_bytes: bytes, local_files: count, fetched_bytes: bytes, fetched_files: count },
      limits,
    }),
  },
  async ({ node }) => {
    const { limits, ...used } = await node.mediaConsole.totals();
    const { uploadBytes, userBytes, userFiles, fetchedBytes, totalBytes } = limits;
    return {
      ...used,
      limits: {
        upload_bytes: uploadBytes,
        user_bytes: userBytes,
        user_files: userFiles,
        fetched_bytes: fetchedBytes,
        total_bytes: totalBytes,
      },
    };
  },
);

const usage = endpoint(
  {
    ...reads,
    operationId: "getMediaUsage",
    summary: "How much media each user has here, those with the most first.",
    path: "/_hearth/v1/media/usage",
    query: v.object({ limit: limitOf(50, 500) }),
    response: v.strictObject({
      usage: v.array(
        v.strictObject({
          user_id: v.pipe(v.string(), v.description("empty for what the server has fetched itself")),
          bytes,
          files: count,
        }),
      ),
    }),
  },
  async ({ node, query: { limit } }) => {
    const all = await node.mediaConsole.usage();
    return { usage: all.sort((one, other) => other.bytes - one.bytes).slice(0, limit) };
  },
);

const get = endpoint(
  {
    ...reads,
    operationId: "getMedia",
    summary: "What is known of one piece of media.",
    path,
    params,
    response: item,
  },
  ({ node, params: { serverName, mediaId } }) => node.mediaConsole.get(serverName, mediaId),
);

const remove = endpoint(
  {
    ...writes,
    method: "DELETE",
    operationId: "deleteMedia",
    summary: "Removes it for good, with its thumbnails.",
    path,
    params,
    response: emptyAnswer,
  },
  async ({ node, params: { serverName, mediaId } }) => {
    await node.mediaConsole.remove(serverName, mediaId);
    return {};
  },
);

const quarantine = endpoint(
  {
    ...writes,
    method: "PUT",
    operationId: "quarantineMedia",
    summary: "Keeps it and shows it to nobody, or does again.",
    path: `${path}/quarantined`,
    params,
    body: v.object({ quarantined: v.boolean() }),
    response: emptyAnswer,
  },
  async ({ node, params: { serverName, mediaId }, body }) => {
    await node.mediaConsole.setQuarantined(serverName, mediaId, body.quarantined);
    return {};
  },
);

const protect = endpoint(
  {
    ...writes,
    method: "PUT",
    operationId: "protectMedia",
    summary: "Keeps it from being quarantined or removed, until that is taken back.",
    path: `${path}/protected`,
    params,
    body: v.object({ protected: v.boolean() }),
    response: emptyAnswer,
  },
  async ({ node, params: { serverName, mediaId }, body }) => {
    await node.mediaConsole.setProtected(serverName, mediaId, body.protected);
    return {};
  },
);

const purgeRemote = endpoint(
  {
    ...writes,
    method: "POST",
    operationId: "purgeRemoteMedia",
    summary: "Removes what came from other servers, but for what is protected or quarantined.",
    path: "/_hearth/v1/media/purge_remote",
    body: v.object({
      before_ts: v.optional(
        v.pipe(amount, v.description("only what came here earlier: milliseconds since 1970")),
      ),
    }),
    optionalBody: true,
    response: v.strictObject({ files: count, bytes }),
  },
  ({ node, body: { before_ts } }) => node.mediaConsole.purgeRemote(before_ts ?? Number.MAX_SAFE_INTEGER),
);

export const mediaConsoleEndpoints: Endpoint[] = [
  ...[list, totals, usage, get, remove],
  ...[quarantine, protect, purgeRemote],
];
