import { createHash } from "node:crypto";
import type { Mail } from "./api.ts";

/**
 * What tells a transaction from others of one mailbox: the first is what is remembered of it, and it is a duplicate
 * where either is remembered. A verified one goes by its origin and transaction id. Of any other the id proves nothing,
 * and somebody who forges it must not keep the real one out: it goes by all its bytes. 32 bytes each.
 */
export function fingerprintsOf(mail: Mail): readonly [Uint8Array, Uint8Array] {
  const transaction = digest(["transaction", mail.origin, mail.txnId]);
  if (mail.verified) return [transaction, transaction];
  const { origin, txnId, method, uri, authorization, body } = mail;
  return [digest(["request", origin, txnId, method, uri, ...authorization], body), transaction];
}

function digest(texts: readonly string[], bytes: Uint8Array = new Uint8Array()): Uint8Array {
  // As JSON, so that no two lists are one text.
  return createHash("sha256").update(JSON.stringify(texts)).update(bytes).digest();
}
