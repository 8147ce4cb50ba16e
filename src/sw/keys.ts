import * as v from "valibot";
import { jsonObject, jsonRecord } from "../door/schemas.ts";
import { type Endpoint, endpoint } from "./endpoint.ts";

/** Milliseconds to wait for other servers. */
const timeout = v.optional(v.number());
const byName = jsonRecord(jsonObject);

const upload = endpoint(
  {
    method: "POST",
    path: "/_matrix/client/v3/keys/upload",
    auth: "guest",
    limit: "write",
    body: v.object({
      device_keys: v.optional(jsonObject),
      one_time_keys: v.optional(jsonObject),
      fallback_keys: v.optional(jsonObject),
    }),
    response: v.object({ one_time_key_counts: v.record(v.string(), v.number()) }),
  },
  ({ node, requester, body }) => node.keys.upload(requester, body),
);

const query = endpoint(
  {
    method: "POST",
    path: "/_matrix/client/v3/keys/query",
    auth: "guest",
    limit: "read",
    body: v.object({ device_keys: jsonRecord(v.array(v.string())), timeout }),
    response: v.object({
      device_keys: byName,
      master_keys: byName,
      self_signing_keys: byName,
      user_signing_keys: byName,
      failures: byName,
    }),
  },
  ({ node, requester, body }) => node.keys.query(requester, body.device_keys, body.timeout),
);

const claim = endpoint(
  {
    method: "POST",
    path: "/_matrix/client/v3/keys/claim",
    auth: "guest",
    limit: "write",
    body: v.object({
      one_time_keys: jsonRecord(jsonRecord(v.string())),
      timeout,
    }),
    response: v.object({ one_time_keys: byName, failures: byName }),
  },
  ({ node, request, body }) => node.keys.claim(request, body.one_time_keys, body.timeout),
);

const changes = endpoint(
  {
    method: "GET",
    path: "/_matrix/client/v3/keys/changes",
    auth: "guest",
    limit: "read",
    query: v.object({ from: v.string(), to: v.string() }),
    response: v.object({ changed: v.array(v.string()), left: v.array(v.string()) }),
  },
  ({ node, requester, query: { from, to } }) => node.sync.deviceLists(requester, from, to),
);

/** @see https://spec.matrix.org/v1.19/client-server-api/#key-management-api */
export const keysEndpoints: Endpoint[] = [upload, query, claim, changes];
