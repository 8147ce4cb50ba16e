import { decodeBase64 } from "../../../matrix/base64.ts";
import { domainOf } from "../../../matrix/domain.ts";
import type { Ed25519 } from "../../../matrix/ed25519-rules.ts";
import { MatrixError } from "../../../matrix/errors.ts";
import { isJsonObject } from "../../../matrix/json.ts";
import { parseJsonText } from "../../../matrix/json-text.ts";
import { type RequestSignature, readAuthorization, verifyRequest } from "../../../matrix/x-matrix.ts";
import type { Mail } from "../../relay/api.ts";
import type { KeyRing } from "../api.ts";

/** What is found of a piece of mail. `text`: the body, which its origin has signed. */
export type MailCheck =
  | { outcome: "signed"; text: string }
  /** Its origin has not sent it, or not as this transaction. */
  | { outcome: "refused"; why: string };

/** What a request says of itself, before any key is asked for. */
export type ReadMail = {
  mail: Mail;
  text: string;
  destination: string;
  signatures: readonly RequestSignature[];
};

const refused = (why: string): MailCheck => ({ outcome: "refused", why });
const utf8 = new TextDecoder("utf-8", { fatal: true });

/** Paths on which transactions come: straight, and by way of a relay that speaks as Dendrite's do. */
const sent = /^\/_matrix\/federation\/v1\/send\/([^/?]+)(?:\?.*)?$/;
const relayed = /^\/_matrix\/federation\/v1\/send_relay\/([^/?]+)\/([^/?]+)(?:\?.*)?$/;

/**
 * Reads a request as it was kept. What is signed is the path, the body and for whom it is: that it is the transaction as
 * which it was kept has to be seen from these, as a relay could give it another id and so bring it twice.
 */
export function readMail(mail: Mail, serverName: string): ReadMail | MailCheck {
  try {
    const { origin, destination, signatures } = readAuthorization(mail.authorization);
    if (origin !== mail.origin) return refused("Somebody else has signed it.");
    const to = destinationOf(mail, serverName);
    if (to === undefined) return refused("It is another request than the transaction as which it was kept.");
    if (to === "here" && destination !== undefined && destination !== serverName) {
      return refused("It was meant for another server.");
    }
    const bytes = decodeBase64(mail.body);
    if (bytes === undefined) return refused("Its body is not Base64.");
    return { mail, text: utf8.decode(bytes), destination: destination ?? serverName, signatures };
  } catch (error) {
    if (error instanceof MatrixError) return refused(error.message);
    if (error instanceof TypeError) return refused("Its body is not UTF-8.");
    throw error;
  }
}

/** `here`: the server itself; `relay`: whoever keeps mail for a user of this server. */
function destinationOf(
  { method, uri, transactionId }: Mail,
  serverName: string,
): "here" | "relay" | undefined {
  if (method !== "PUT") return undefined;
  const [, txnId] = sent.exec(uri) ?? [];
  if (txnId !== undefined) return decoded(txnId) === transactionId ? "here" : undefined;
  const [, relayedId, userId] = relayed.exec(uri) ?? [];
  if (relayedId === undefined || decoded(relayedId) !== transactionId) return undefined;
  return domainOf(decoded(userId) ?? "") === serverName ? "relay" : undefined;
}

function decoded(segment: string | undefined): string | undefined {
  try {
    return segment && decodeURIComponent(segment);
  } catch (error) {
    if (error instanceof URIError) return undefined;
    throw error;
  }
}

/**
 * Whether a server has signed what is kept in its name, with a key that it had when the request was received.
 * @returns undefined where no key could be had: that may be otherwise later
 */
export async function checkMail(
  { mail, text, destination, signatures }: ReadMail,
  { keyRing, ed25519, now }: { keyRing: Pick<KeyRing, "keyFor">; ed25519: Ed25519; now: () => number },
): Promise<MailCheck | undefined> {
  const { origin, method, uri } = mail;
  // The time is the relay's word, and keys of the future there are none.
  const at = Math.min(mail.receivedAt, now());
  let isKeyKnown = false;
  for (const signature of signatures) {
    const key = await keyRing.keyFor(origin, signature.keyId, at);
    if (key === undefined) continue;
    isKeyKnown = true;
    try {
      const content = text === "" ? undefined : parseJsonText(text, { integersOnly: false });
      if (content !== undefined && !isJsonObject(content)) return refused("Its body is no object.");
      const request = { method, uri, origin, destination, content };
      if (await verifyRequest(request, signature, key, ed25519)) return { outcome: "signed", text };
    } catch (error) {
      if (error instanceof MatrixError) return refused(error.message);
      throw error;
    }
  }
  return isKeyKnown ? refused("Its signature is wrong.") : undefined;
}
