import type { Ed25519 } from "../../../matrix/ed25519-rules.ts";
import { serverNameOf, type UserId } from "../../../matrix/identifiers.ts";
import { verifyEventSignature } from "../../../matrix/signing.ts";
import type { KeyRing } from "../api.ts";

/** @see KeyRing.checkEvents */
export function checkingEvents(keyFor: KeyRing["keyFor"], ed25519: Ed25519): KeyRing["checkEvents"] {
  return (events, rules) =>
    Promise.all(
      events.map(async ({ pdu }) => {
        const server = serverNameOf(pdu.sender as UserId);
        for (const keyId of Object.keys(pdu.signatures?.[server] ?? {})) {
          const key = await keyFor(server, keyId, pdu.origin_server_ts);
          if (key === undefined) continue;
          if (await verifyEventSignature(pdu, rules, server, keyId, key, ed25519)) return undefined;
          return { why: `The signature of ${server} is wrong.`, unknown: false };
        }
        return { why: `No key of ${server} is known with which it is signed.`, unknown: true };
      }),
    );
}
