import * as v from "valibot";
import { jsonObject } from "../door/schemas.ts";
import type { ThirdPartyKind } from "../worker-roomserver/appservices/api.ts";
import { type Endpoint, endpoint } from "./endpoint.ts";

const root = "/_matrix/client/v3/thirdparty";
const protocolParams = v.object({ protocol: v.string() });

/** The query's own parameters are fields of the network: which ones there are, its service says. */
const fields = v.pipe(
  v.custom<Record<string, string | string[]>>((query) => typeof query === "object"),
  v.transform((query): Record<string, string> => {
    const texts = Object.entries(query).filter(
      (entry): entry is [string, string] => typeof entry[1] === "string" && entry[0] !== "access_token",
    );
    return Object.fromEntries(texts);
  }),
);

const protocols = endpoint(
  { method: "GET", path: `${root}/protocols`, auth: "user", limit: "read", response: jsonObject },
  ({ node }) => node.appServices.protocols(),
);

const protocol = endpoint(
  {
    method: "GET",
    path: `${root}/protocol/{protocol}`,
    auth: "user",
    limit: "read",
    params: protocolParams,
    response: jsonObject,
  },
  ({ node, params }) => node.appServices.protocol(params.protocol),
);

const byProtocol = (kind: ThirdPartyKind) =>
  endpoint(
    {
      method: "GET",
      path: `${root}/${kind}/{protocol}`,
      auth: "user",
      limit: "read",
      params: protocolParams,
      query: fields,
      response: v.array(jsonObject),
    },
    ({ node, params, query }) => node.appServices.lookup(kind, params.protocol, query),
  );

const locationByAlias = endpoint(
  {
    method: "GET",
    path: `${root}/location`,
    auth: "user",
    limit: "read",
    query: v.object({ alias: v.string() }),
    response: v.array(jsonObject),
  },
  ({ node, query }) => node.appServices.reverseLookup("location", query.alias),
);

const userById = endpoint(
  {
    method: "GET",
    path: `${root}/user`,
    auth: "user",
    limit: "read",
    query: v.object({ userid: v.string() }),
    response: v.array(jsonObject),
  },
  ({ node, query }) => node.appServices.reverseLookup("user", query.userid),
);

/** @see https://spec.matrix.org/v1.19/client-server-api/#third-party-networks */
export const thirdPartyEndpoints: Endpoint[] = [
  protocols,
  protocol,
  byProtocol("location"),
  byProtocol("user"),
  locationByAlias,
  userById,
];
