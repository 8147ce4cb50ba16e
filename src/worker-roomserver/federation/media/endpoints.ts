import * as v from "valibot";
import { booleanParameter } from "../../../door/schemas.ts";
import { contentDisposition } from "../../../matrix/content-disposition.ts";
import { isInlineType } from "../../../matrix/media-type.ts";
import type { MediaFile } from "../../media/api.ts";
import type { FederationContext } from "../context.ts";
import { Content, type Endpoint, endpoint } from "../door/endpoint.ts";
import { multipart } from "./multipart.ts";

const integer = (grammar: RegExp) =>
  v.pipe(v.string(), v.regex(grammar, "should be a positive integer"), v.transform(Number));
const pixels = integer(/^0*[1-9]\d{0,5}$/);
/** Milliseconds; how long really is the component's business. */
const timeout = v.optional(integer(/^\d{1,15}$/), "20000");

const params = v.object({ mediaId: v.string() });

/** This server's own media, for other servers; what it has fetched itself they get where it comes from. */
export function mediaEndpoints({ media, serverName }: FederationContext): Endpoint[] {
  return [
    /** @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1mediadownloadmediaid */
    endpoint(
      {
        method: "GET",
        path: "/_matrix/federation/v1/media/download/{mediaId}",
        auth: "server",
        params,
        query: v.object({ timeout_ms: timeout }),
      },
      async ({ params: { mediaId }, query }) =>
        answer(
          await media.download(serverName, mediaId, { timeoutMs: query.timeout_ms, allowRemote: false }),
        ),
    ),
    /** @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1mediathumbnailmediaid */
    endpoint(
      {
        method: "GET",
        path: "/_matrix/federation/v1/media/thumbnail/{mediaId}",
        auth: "server",
        params,
        query: v.object({
          width: pixels,
          height: pixels,
          method: v.optional(v.picklist(["crop", "scale"]), "scale"),
          animated: v.optional(booleanParameter, "false"),
          timeout_ms: timeout,
        }),
      },
      async ({ params: { mediaId }, query: { timeout_ms: timeoutMs, ...wanted } }) =>
        answer(await media.thumbnail(serverName, mediaId, { ...wanted, timeoutMs, allowRemote: false })),
    ),
  ];
}

function answer({ blob, type, name }: MediaFile): Content {
  const boundary = crypto.randomUUID();
  const disposition = contentDisposition(isInlineType(type) ? "inline" : "attachment", name);
  const headers = { "Content-Type": type, "Content-Disposition": disposition };
  return new Content(
    200,
    { "Content-Type": `multipart/mixed; boundary=${boundary}` },
    multipart({ headers, blob }, boundary),
  );
}
