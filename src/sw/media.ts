import * as v from "valibot";
import { booleanParameter, emptyAnswer, jsonObject } from "../door/schemas.ts";
import { notFound } from "../matrix/errors.ts";
import type { Requester } from "../worker-roomserver/node/requester.ts";
import { type Endpoint, endpoint } from "./endpoint.ts";
import { mediaAnswer } from "./media-answer.ts";
import { strangerPage } from "./stranger-page.ts";

const bytes = v.instance(Blob);
const mediaParams = { serverName: v.string(), mediaId: v.string() };
const uploadQuery = v.object({ filename: v.optional(v.string(), "") });

const integer = v.pipe(
  v.string(),
  v.regex(/^\d{1,15}$/, "should be an integer of 0 or more"),
  v.transform(Number),
);
const pixels = v.pipe(
  v.string(),
  v.regex(/^0*[1-9]\d{0,5}$/, "should be an integer of 1 or more"),
  v.transform(Number),
);

const findQuery = {
  /** Milliseconds; how long really is the component's business. */
  timeout_ms: v.optional(integer, "20000"),
  allow_remote: v.optional(booleanParameter, "true"),
  /** Media is always answered as it is. */
  allow_redirect: v.optional(booleanParameter),
};

const upload = endpoint(
  {
    method: "POST",
    path: "/_matrix/media/v3/upload",
    auth: "user",
    limit: "write",
    query: uploadQuery,
    body: bytes,
    bodyFormat: "bytes",
    response: v.object({ content_uri: v.string() }),
  },
  ({ node, request, requester, query, body }) =>
    node.media.upload(request, requester, { blob: body, name: query.filename }),
);

const create = endpoint(
  {
    method: "POST",
    path: "/_matrix/media/v1/create",
    auth: "user",
    limit: "write",
    response: v.object({ content_uri: v.string(), unused_expires_at: v.number() }),
  },
  ({ node, request, requester }) => node.media.create(request, requester),
);

const uploadTo = endpoint(
  {
    method: "PUT",
    path: "/_matrix/media/v3/upload/{serverName}/{mediaId}",
    auth: "user",
    limit: "write",
    params: v.object(mediaParams),
    query: uploadQuery,
    body: bytes,
    bodyFormat: "bytes",
    response: emptyAnswer,
  },
  async ({ node, request, requester, params, query, body }) => {
    const uploaded = { blob: body, name: query.filename };
    await node.media.uploadTo(request, requester, params.serverName, params.mediaId, uploaded);
    return {};
  },
);

/**
 * What reads media, on the paths of today and on those from before. These are frozen from the first day on: to whoever
 * has no session, of a token or of the page that asks, there is nothing there.
 * @see https://spec.matrix.org/v1.19/client-server-api/#content-repo-client-behaviour
 */
function readers(prefix: "/_matrix/client/v1/media/" | "/_matrix/media/v3/"): Endpoint[] {
  const auth = prefix === "/_matrix/media/v3/" ? "optional" : "guest";
  const file = {
    method: "GET",
    auth,
    pageSession: true,
    limit: "read",
    response: v.unknown(),
    refusalInTab: strangerPage,
  } as const;
  return [
    endpoint(
      {
        ...file,
        path: `${prefix}download/{serverName}/{mediaId}`,
        params: v.object(mediaParams),
        query: v.object(findQuery),
      },
      async ({ node, requester, params, query, ...asked }) => {
        refuseStrangers(requester);
        return mediaAnswer(
          await node.media.download(params.serverName, params.mediaId, findOptions(query)),
          asked,
        );
      },
    ),
    endpoint(
      {
        ...file,
        path: `${prefix}download/{serverName}/{mediaId}/{fileName}`,
        params: v.object({ ...mediaParams, fileName: v.string() }),
        query: v.object(findQuery),
      },
      async ({ node, requester, params, query, ...asked }) => {
        refuseStrangers(requester);
        const found = await node.media.download(params.serverName, params.mediaId, findOptions(query));
        return mediaAnswer({ ...found, name: params.fileName }, asked);
      },
    ),
    endpoint(
      {
        ...file,
        path: `${prefix}thumbnail/{serverName}/{mediaId}`,
        params: v.object(mediaParams),
        query: v.object({
          ...findQuery,
          width: pixels,
          height: pixels,
          method: v.optional(v.picklist(["crop", "scale"]), "scale"),
          animated: v.optional(booleanParameter, "false"),
        }),
      },
      async ({ node, requester, params, query, ...asked }) => {
        refuseStrangers(requester);
        const { width, height, method, animated } = query;
        const wanted = { ...findOptions(query), width, height, method, animated };
        return mediaAnswer(await node.media.thumbnail(params.serverName, params.mediaId, wanted), asked);
      },
    ),
    endpoint(
      {
        method: "GET",
        path: `${prefix}config`,
        auth: "guest",
        limit: "read",
        response: v.object({ "m.upload.size": v.number() }),
      },
      ({ node }) => node.media.config(),
    ),
    endpoint(
      {
        method: "GET",
        path: `${prefix}preview_url`,
        auth: "user",
        limit: "write", // it has this server ask another
        query: v.object({ url: v.string(), ts: v.optional(integer) }),
        response: jsonObject,
      },
      ({ node, requester, query }) => node.media.preview(requester, query.url),
    ),
  ];
}

/** Where a session is not asked for by the description. */
function refuseStrangers(requester: Requester | undefined): void {
  if (requester === undefined) throw notFound("Media is served to those who are logged in.");
}

const findOptions = (query: { timeout_ms: number; allow_remote: boolean }) => ({
  timeoutMs: query.timeout_ms,
  allowRemote: query.allow_remote,
});

/** @see https://spec.matrix.org/v1.19/client-server-api/#content-repository */
export const mediaEndpoints: Endpoint[] = [
  upload,
  create,
  uploadTo,
  ...readers("/_matrix/client/v1/media/"),
  ...readers("/_matrix/media/v3/"),
];
