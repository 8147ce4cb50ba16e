import * as v from "valibot";
import { encodeBase64 } from "../../../matrix/base64.ts";
import { encodeUtf8 } from "../../../matrix/utf8.ts";
import type { FederationContext } from "../context.ts";
import { type Endpoint, endpoint } from "../door/endpoint.ts";

/** 50 PDUs of 64 KiB and 100 EDUs, with room for what they are wrapped in. */
const MAX_TRANSACTION_BYTES = 10 * 1024 * 1024;

export function transactionEndpoints({ inbox, now }: FederationContext): Endpoint[] {
  return [
    endpoint(
      {
        method: "PUT",
        path: "/_matrix/federation/v1/send/{txnId}",
        auth: "server",
        params: v.object({ txnId: v.string() }),
        maxBytes: MAX_TRANSACTION_BYTES,
      },
      async ({ origin, params, text, target, authorization }) => {
        await inbox.add({
          ...{ origin, transactionId: params.txnId, authorization, method: "PUT", uri: target },
          body: encodeBase64(encodeUtf8(text)),
          receivedAt: now(),
        });
        return { pdus: {} };
      },
    ),
  ];
}
