import * as v from "valibot";
import { emptyAnswer, jsonObject, jsonRecord } from "../door/schemas.ts";
import { type Endpoint, endpoint } from "./endpoint.ts";

/** @see https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3sendtodeviceeventtypetxnid */
const sendToDevice = endpoint(
  {
    method: "PUT",
    path: "/_matrix/client/v3/sendToDevice/{eventType}/{txnId}",
    auth: "guest",
    limit: "message",
    params: v.object({ eventType: v.string(), txnId: v.string() }),
    body: v.object({ messages: jsonRecord(jsonRecord(jsonObject)) }),
    response: emptyAnswer,
  },
  async ({ node, requester, params, body }) => {
    await node.toDevice.send(requester, { ...params, messages: body.messages });
    return {};
  },
);

export const toDeviceEndpoints: Endpoint[] = [sendToDevice];
