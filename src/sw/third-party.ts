import * as v from "valibot";
import { notFound } from "../matrix/errors.ts";
import { type Endpoint, endpoint } from "./endpoint.ts";
import { jsonObject } from "./schemas.ts";

/** Networks that are bridged to. There are none. */
const protocols = endpoint(
  {
    method: "GET",
    path: "/_matrix/client/v3/thirdparty/protocols",
    auth: "user",
    limit: "read",
    response: jsonObject,
  },
  async () => ({}),
);

/** Where there are no networks, whatever is looked for in one is not found. */
const lookup = (path: `/${string}`, params: v.GenericSchema | undefined, query?: v.GenericSchema) =>
  endpoint(
    {
      method: "GET",
      path: `/_matrix/client/v3/thirdparty${path}`,
      auth: "user",
      limit: "read",
      ...(params && { params }),
      ...(query && { query }),
      response: v.never(),
    },
    () => Promise.reject(notFound("No such network is bridged to this homeserver.")),
  );

const inProtocol = v.object({ protocol: v.string() });

/** @see https://spec.matrix.org/v1.19/client-server-api/#third-party-lookups */
export const thirdPartyEndpoints: Endpoint[] = [
  protocols,
  lookup("/protocol/{protocol}", inProtocol),
  lookup("/location/{protocol}", inProtocol),
  lookup("/user/{protocol}", inProtocol),
  lookup("/location", undefined, v.object({ alias: v.string() })),
  lookup("/user", undefined, v.object({ userid: v.string() })),
];
