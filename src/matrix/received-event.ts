import type { Ed25519 } from "./ed25519-rules.ts";
import { parsePdu } from "./event-format.ts";
import { essentialBytes, essentialPart, eventIdFrom, eventIdOf, hashedPart, sha256 } from "./hashes.ts";
import type { EventId } from "./identifiers.ts";
import { parseJsonText } from "./json-text.ts";
import type { Pdu } from "./pdu.ts";
import { redact } from "./redaction.ts";
import type { RoomVersionRules } from "./room-versions.ts";
import { hasContentHash, verifyEventHash, verifySignatureOver } from "./signing.ts";
import { readWrittenNumbers, type WrittenNumbers } from "./written-numbers.ts";

/** An event from elsewhere, of good form and with the hash that its sender gave it. Who signed it is another question. */
export type ReceivedEvent = {
  readonly eventId: EventId;
  readonly pdu: Pdu;
  /** The event as text, to be stored. */
  readonly json: string;
};

/**
 * Reads an event as another server has sent it: the first and the third of the checks on receipt. One whose content is
 * not what was hashed is taken for a redacted copy; `unsigned` is not the sender's word and is left out.
 * @throws {MatrixError} M_NOT_JSON, M_BAD_JSON (400), M_TOO_LARGE (413): the event is to be dropped
 * @see https://spec.matrix.org/v1.19/server-server-api/#checks-performed-on-receipt-of-a-pdu
 */
export function readReceivedEvent(text: string, rules: RoomVersionRules): ReceivedEvent {
  const parsed = parsePdu(parseJsonText(text, { integersOnly: rules.strictCanonicalJson }), rules);
  const { unsigned, ...rest } = parsed;
  const sent = unsigned === undefined ? parsed : (rest as Pdu);
  const written = rules.strictCanonicalJson ? undefined : readWrittenNumbers(text);
  if (written !== undefined) return readWithNumbers(sent, written, rules);
  const eventId = eventIdOf(sent, rules);
  if (!verifyEventHash(sent, rules)) {
    const pdu = redact(sent, rules) as Pdu;
    return { eventId, pdu, json: JSON.stringify(pdu) };
  }
  return { eventId, pdu: sent, json: sent === parsed ? text : JSON.stringify(sent) };
}

/** The same where what was hashed and signed has numbers that JavaScript writes in another way. */
function readWithNumbers(sent: Pdu, written: WrittenNumbers, rules: RoomVersionRules): ReceivedEvent {
  const { unsigned: _, ...value } = written.value;
  const eventId = eventIdFrom(sent, rules, () => sha256(written.bytesOf(essentialPart(value, rules))));
  if (hasContentHash(sent, written.bytesOf(hashedPart(value)))) {
    return { eventId, pdu: sent, json: written.textOf(value) };
  }
  return { eventId, pdu: redact(sent, rules) as Pdu, json: written.textOf(redact(value, rules)) };
}

/**
 * Whether a server signed an event with this key, by the event's own text.
 * @returns false as `verifyEventSignature` does
 */
export function verifyReceivedEvent(
  { pdu, json }: ReceivedEvent,
  rules: RoomVersionRules,
  serverName: string,
  keyId: string,
  publicKey: Uint8Array,
  ed25519: Ed25519,
): Promise<boolean> {
  const written = rules.strictCanonicalJson ? undefined : readWrittenNumbers(json);
  const bytes = written?.bytesOf(essentialPart(written.value, rules)) ?? essentialBytes(pdu, rules);
  return verifySignatureOver(bytes, pdu, serverName, keyId, publicKey, ed25519);
}
