import { decodeBase64 } from "../base64.ts";
import type { Ed25519 } from "../ed25519.ts";
import { isJsonObject, type JsonObject } from "../json.ts";
import type { Pdu } from "../pdu.ts";
import { verifySignedJson } from "../signing.ts";
import type { AuthEvent, AuthFacts } from "./auth-event.ts";

/**
 * How many pairs of key and signature are tried. Identity servers make two keys and one signature; an event
 * has room for enough of both to keep a server busy for minutes.
 */
const maxAttempts = 1000;

/**
 * Finds the fact that rule 4.4.1.7 (v11) asks for: which third-party invites have a key that has signed this one.
 * @param pdu - a membership event with `content.third_party_invite.signed`; of any other the answer is empty
 * @param invites - the `m.room.third_party_invite` events that the event may be checked against
 * @see https://spec.matrix.org/v1.19/server-server-api/#verifying-the-invite
 */
export async function signedThirdPartyInvites(
  pdu: Pdu,
  invites: Iterable<AuthEvent>,
  ed25519: Ed25519,
): Promise<NonNullable<AuthFacts["signedThirdPartyInvites"]>> {
  const { third_party_invite: invite } = pdu.content;
  const signed = isJsonObject(invite) ? invite.signed : undefined;
  const ids = new Set<string>();
  if (!isJsonObject(signed)) return ids;
  for (const { eventId, pdu: origin } of invites) {
    if (await isSignedByAny(signed, publicKeysOf(origin.content), ed25519)) ids.add(eventId);
  }
  return ids;
}

async function isSignedByAny(
  signed: JsonObject,
  publicKeys: readonly Uint8Array[],
  ed25519: Ed25519,
): Promise<boolean> {
  let attempts = 0;
  for (const publicKey of publicKeys) {
    for (const [serverName, keyId] of signersOf(signed)) {
      if (attempts++ === maxAttempts) return false;
      if (await verifySignedJson(signed, serverName, keyId, publicKey, ed25519)) return true;
    }
  }
  return false;
}

/** The keys in `public_key` and `public_keys`, those left out that are no Base64. */
function publicKeysOf(content: JsonObject): Uint8Array[] {
  const further = Array.isArray(content.public_keys) ? content.public_keys : [];
  const texts = [
    content.public_key,
    ...further.map((key) => (isJsonObject(key) ? key.public_key : undefined)),
  ];
  return texts
    .map((text) => (typeof text === "string" ? decodeBase64(text) : undefined))
    .filter((key) => key !== undefined);
}

function* signersOf({ signatures }: JsonObject): Generator<[serverName: string, keyId: string]> {
  if (!isJsonObject(signatures)) return;
  for (const [serverName, keys] of Object.entries(signatures)) {
    if (!isJsonObject(keys)) continue;
    for (const keyId of Object.keys(keys)) yield [serverName, keyId];
  }
}
