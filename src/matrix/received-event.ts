import { parsePdu } from "./event-format.ts";
import { eventIdOf } from "./hashes.ts";
import type { EventId } from "./identifiers.ts";
import { parseJsonText } from "./json-text.ts";
import type { Pdu } from "./pdu.ts";
import { redact } from "./redaction.ts";
import type { RoomVersionRules } from "./room-versions.ts";
import { verifyEventHash } from "./signing.ts";

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
  const eventId = eventIdOf(sent, rules);
  if (!verifyEventHash(sent, rules)) {
    const pdu = redact(sent, rules) as Pdu;
    return { eventId, pdu, json: JSON.stringify(pdu) };
  }
  return { eventId, pdu: sent, json: sent === parsed ? text : JSON.stringify(sent) };
}
