import * as v from "valibot";
import { jsonObject } from "../door/schemas.ts";
import type { Node } from "../worker-roomserver/node/api.ts";
import type { Requester } from "../worker-roomserver/node/requester.ts";
import { type Endpoint, endpoint } from "./endpoint.ts";

const params = v.object({ roomIdOrAlias: v.string() });

/** Servers to ask about a room elsewhere. */
const query = v.object({
  via: v.optional(
    v.pipe(
      v.union([v.string(), v.array(v.string())]),
      v.transform((servers) => [servers].flat()),
    ),
    [],
  ),
});

type Asked = {
  node: Node;
  requester: Requester | undefined;
  params: v.InferOutput<typeof params>;
  query: v.InferOutput<typeof query>;
};

const summaryOf = ({ node, requester, params: { roomIdOrAlias }, query: { via } }: Asked) =>
  node.roomDirectory.summary(requester, roomIdOrAlias, via);

/** @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1room_summaryroomidoralias */
const summary = endpoint(
  {
    method: "GET",
    path: "/_matrix/client/v1/room_summary/{roomIdOrAlias}",
    auth: "optional",
    limit: "read",
    params,
    query,
    response: jsonObject,
  },
  summaryOf,
);

const unstable = "/_matrix/client/unstable/im.nheko.summary";

/**
 * The same where clients from before v1.15 ask for it; two of its members had names of their own there.
 * @see https://github.com/matrix-org/matrix-spec-proposals/pull/3266
 */
const unstableSummary = (path: `${typeof unstable}/${string}`) =>
  endpoint(
    { method: "GET", path, auth: "optional", limit: "read", params, query, response: jsonObject },
    async (asked) => {
      const found = await summaryOf(asked);
      return {
        ...found,
        ...(found.room_version !== undefined && { "im.nheko.summary.room_version": found.room_version }),
        ...(found.encryption !== undefined && { "im.nheko.summary.encryption": found.encryption }),
      };
    },
  );

export const roomSummaryEndpoints: Endpoint[] = [
  summary,
  unstableSummary(`${unstable}/rooms/{roomIdOrAlias}/summary`),
  unstableSummary(`${unstable}/summary/{roomIdOrAlias}`),
];
