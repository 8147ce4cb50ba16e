import * as v from "valibot";
import { encodeBase64 } from "../../../matrix/base64.ts";
import { readTransaction } from "../../../matrix/transactions.ts";
import { encodeUtf8 } from "../../../matrix/utf8.ts";
import type { FederationContext } from "../context.ts";
import { type Endpoint, endpoint } from "../door/endpoint.ts";
import type { Receiver } from "../receiver/api.ts";

/** 50 PDUs of 64 KiB and 100 EDUs, with room for what they are wrapped in. */
const MAX_TRANSACTION_BYTES = 10 * 1024 * 1024;
/** Milliseconds. What takes longer than 0.8 s, a relay answers itself, and brings as mail what is here already. */
const ANSWERED_WITHIN_MS = 600;

/**
 * What other servers send. It is in the inbox when it is answered, so that it is not lost; what became of its PDUs is
 * answered where that is known in time, and the same if it comes again.
 */
export function transactionEndpoints(
  { now }: Pick<FederationContext, "now">,
  receiver: Pick<Receiver, "deliver">,
): Endpoint[] {
  return [
    /** @see https://spec.matrix.org/v1.19/server-server-api/#put_matrixfederationv1sendtxnid */
    endpoint(
      {
        method: "PUT",
        path: "/_matrix/federation/v1/send/{txnId}",
        auth: "server",
        // It stands in a key of the database.
        params: v.object({ txnId: v.pipe(v.string(), v.maxLength(512)) }),
        maxBytes: MAX_TRANSACTION_BYTES,
      },
      async ({ origin, params, text, target, authorization }) => {
        readTransaction(text);
        const mail = {
          ...{ origin, transactionId: params.txnId, authorization, method: "PUT", uri: target },
          ...{ body: encodeBase64(encodeUtf8(text)), receivedAt: now() },
        };
        return { pdus: (await receiver.deliver(mail, ANSWERED_WITHIN_MS)) ?? {} };
      },
    ),
  ];
}
