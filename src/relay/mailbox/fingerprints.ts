import { createHash } from "node:crypto";
import type { Mail } from "./api.ts";

/** A name that is longer is hashed: most are shorter than a hash, and cost nothing. */
const MOST_CHARACTERS = 120;

/**
 * What tells a transaction from others of one mailbox: the first is what is remembered of it, and it is a duplicate
 * where either is remembered. A verified one goes by its origin and transaction id. Of any other the id proves nothing,
 * and somebody who forges it must not keep the real one out: it goes by all its bytes.
 */
export function fingerprintsOf(mail: Mail): readonly [own: string, other: string] {
  const { verified, origin, txnId, method, uri, authorization, body } = mail;
  // As JSON, so that no two lists are one text; and no list is what a hash looks like.
  const name = JSON.stringify([origin, txnId]);
  const transaction = name.length > MOST_CHARACTERS ? digest(["transaction", name]) : name;
  if (verified) return [transaction, transaction];
  return [digest(["request", origin, txnId, method, uri, ...authorization], body), transaction];
}

function digest(texts: readonly string[], bytes: Uint8Array = new Uint8Array()): string {
  return createHash("sha256").update(JSON.stringify(texts)).update(bytes).digest("base64url");
}
