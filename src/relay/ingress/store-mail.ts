import { badJson, MatrixError } from "../../matrix/errors.ts";
import { isJsonObject, type JsonValue } from "../../matrix/json.ts";
import type { RequestAuth } from "../../matrix/x-matrix.ts";
import type { Put } from "../mailbox/api.ts";
import type { Arrived } from "./arrived.ts";
import type { Ingress } from "./parts.ts";
import { checkSignature, requireJsonObject, signedRequest } from "./who.ts";

/** @see https://spec.matrix.org/v1.19/server-server-api/#transactions */
const MAX_PDUS = 50;
const MAX_EDUS = 100;
const MAX_TRANSACTION_ID = 512;

export type Transaction = {
  node: string;
  /** The destination of those who name none. */
  destination: string;
  auth: RequestAuth;
  txnId: string;
  body: Uint8Array;
};

/**
 * Keeps a transaction for a node, unless its signature is certainly wrong. A key that cannot be had in time is no reason
 * to refuse: the node checks for itself, and a server whose keys cannot be reached for a moment must not lose what it
 * has sent.
 * @param within - milliseconds to find the key in
 * @throws {MatrixError} M_UNAUTHORIZED (401); M_NOT_JSON, M_BAD_JSON or M_INVALID_PARAM (400) for what no node would take
 */
export async function storeMail(
  ingress: Ingress,
  arrived: Arrived,
  { node, destination, auth, txnId, body }: Transaction,
  within: number,
): Promise<Put> {
  if (txnId === "" || txnId.length > MAX_TRANSACTION_ID) {
    throw new MatrixError(
      "M_INVALID_PARAM",
      400,
      `A transaction ID has 1 to ${MAX_TRANSACTION_ID} characters.`,
    );
  }
  const request = signedRequest(arrived, auth, destination, body);
  requireTransaction(request.content);
  const verified = (await checkSignature(ingress, request, auth, within)) === "verified";
  const { headers, method, target } = arrived;
  const put = await ingress.mailbox.put(node, {
    origin: auth.origin,
    txnId,
    method,
    uri: target,
    authorization: [headers.get("authorization") ?? ""],
    body,
    receivedAt: ingress.now(),
    verified,
  });
  if (put === "stored") ingress.onMail(node);
  return put;
}

function requireTransaction(content: JsonValue | undefined): void {
  const { pdus, edus } = requireJsonObject(content);
  if (!isListOf(pdus, MAX_PDUS) || !isListOf(edus, MAX_EDUS)) {
    throw badJson(`A transaction has lists of at most ${MAX_PDUS} PDUs and ${MAX_EDUS} EDUs.`);
  }
}

/** Dendrite writes a list that is empty as null. */
function isListOf(value: JsonValue | undefined, most: number): boolean {
  if (value === undefined || value === null) return true;
  return Array.isArray(value) && value.length <= most && value.every(isJsonObject);
}
