import * as v from "valibot";
import { jsonObject, jsonRecord } from "../door/schemas.ts";
import { type Endpoint, endpoint } from "./endpoint.ts";
import { doneOrPage } from "./uia.ts";

const uploadKeys = endpoint(
  {
    method: "POST",
    path: "/_matrix/client/v3/keys/device_signing/upload",
    auth: "user",
    limit: "login", // it may be a guess at the password
    body: v.object({
      master_key: v.optional(jsonObject),
      self_signing_key: v.optional(jsonObject),
      user_signing_key: v.optional(jsonObject),
      auth: v.optional(jsonObject),
    }),
    response: jsonObject,
  },
  async ({ node, requester, body, baseUrl }) =>
    doneOrPage(await node.keys.uploadCrossSigning(requester, body), baseUrl),
);

const keysByUser = jsonRecord(jsonRecord(jsonObject));

const uploadSignatures = endpoint(
  {
    method: "POST",
    path: "/_matrix/client/v3/keys/signatures/upload",
    auth: "user",
    limit: "write",
    body: keysByUser,
    response: v.object({ failures: keysByUser }),
  },
  ({ node, requester, body }) => node.keys.uploadSignatures(requester, body),
);

/** @see https://spec.matrix.org/v1.19/client-server-api/#cross-signing */
export const crossSigningEndpoints: Endpoint[] = [uploadKeys, uploadSignatures];
