import { badJson, MatrixError } from "./errors.ts";
import { isJsonObject, type JsonObject } from "./json.ts";
import { elementTexts, memberText } from "./json-parts.ts";
import { parseJsonText, parseOnly } from "./json-text.ts";

/** What a transaction may have at most. @see https://spec.matrix.org/v1.19/server-server-api/#transactions */
export const maxTransactionPdus = 50;
export const maxTransactionEdus = 100;

/** What a transaction brings: PDUs as they were written, and EDUs that have a type and a content. */
export type ReceivedTransaction = { pdus: string[]; edus: { edu_type: string; content: JsonObject }[] };

/**
 * Cuts up the body of `PUT /send/{txnId}`. The PDUs are not looked at: each is judged by itself. An EDU that is no EDU is
 * left out, as it has no effect.
 * @throws {MatrixError} M_NOT_JSON, M_BAD_JSON (400) for what is no transaction, and for one with more than 50 PDUs or 100
 *   EDUs
 * @see https://spec.matrix.org/v1.19/server-server-api/#put_matrixfederationv1sendtxnid
 */
export function readTransaction(text: string): ReceivedTransaction {
  const pdus = elementTexts(text, "pdus");
  if (pdus.length > maxTransactionPdus) throw badJson(`More than ${maxTransactionPdus} PDUs.`);
  const listed = memberText(text, "edus");
  const edus = listed === undefined ? [] : parseJsonText(listed, { integersOnly: false });
  if (!Array.isArray(edus)) throw badJson("The edus of a transaction should be a list.");
  if (edus.length > maxTransactionEdus) throw badJson(`More than ${maxTransactionEdus} EDUs.`);
  return { pdus, edus: edus.filter(isEdu).map(({ edu_type, content }) => ({ edu_type, content })) };
}

function isEdu(edu: unknown): edu is { edu_type: string; content: JsonObject } {
  return isJsonObject(edu) && typeof edu.edu_type === "string" && isJsonObject(edu.content);
}

/**
 * The room that a PDU says it is of, before anything else of it is known: what it is to be read by depends on the room.
 * @returns undefined for what is no JSON, and for what names no room
 */
export function roomIdOfPdu(text: string): string | undefined {
  try {
    const pdu = parseOnly(text);
    return isJsonObject(pdu) && typeof pdu.room_id === "string" ? pdu.room_id : undefined;
  } catch (error) {
    if (error instanceof MatrixError) return undefined;
    throw error;
  }
}
