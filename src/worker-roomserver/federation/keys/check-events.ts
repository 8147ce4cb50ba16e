import type { Ed25519 } from "../../../matrix/ed25519-rules.ts";
import { MatrixError } from "../../../matrix/errors.ts";
import { isKeyId } from "../../../matrix/identifiers.ts";
import { type ReceivedEvent, verifyReceivedEvent } from "../../../matrix/received-event.ts";
import { POLICY_SERVER_KEY_ID, requiredSigners } from "../../../matrix/required-signers.ts";
import type { RoomVersionRules } from "../../../matrix/room-versions.ts";
import type { EventComplaint } from "../api.ts";
import { WantedKeys } from "./wanted-keys.ts";

/** A server that must have signed an event, and the keys by which it says to have. */
type Required = { server: string; keyIds: string[] };

/** Signatures of one server that are looked at; servers sign with one key, or two while they change it. */
const MAX_SIGNATURES = 8;
/** Events whose signatures are checked at a time: enough to keep busy who checks them, without a promise for each. */
const AT_ONCE = 64;

/** @param gather - finds what keys can be found */
export async function checkEvents(
  events: readonly ReceivedEvent[],
  rules: RoomVersionRules,
  ed25519: Ed25519,
  gather: (wanted: WantedKeys) => Promise<void>,
): Promise<(EventComplaint | undefined)[]> {
  const wanted = new WantedKeys();
  const atOf = ({ pdu }: ReceivedEvent) => (rules.enforceKeyValidity ? pdu.origin_server_ts : 0);
  const required = events.map((event) => requiredOf(event, rules));
  required.forEach((servers, i) => {
    if (!Array.isArray(servers)) return;
    for (const { server, keyIds } of servers) {
      for (const keyId of keyIds) wanted.want(server, keyId, atOf(events[i]!));
    }
  });
  await gather(wanted);

  const check = async (event: ReceivedEvent, servers: Required[]): Promise<EventComplaint | undefined> => {
    for (const { server, keyIds } of servers) {
      let isSigned = false;
      for (const keyId of keyIds) {
        const key = wanted.key(server, keyId, atOf(event));
        if (key === undefined) continue;
        if (!(await verifyReceivedEvent(event, rules, server, keyId, key, ed25519))) {
          return { why: `The signature of ${server} is wrong.`, unknown: false };
        }
        isSigned = true;
      }
      if (!isSigned) {
        return { why: `No key of ${server} could be had with which the event is signed.`, unknown: true };
      }
    }
    return undefined;
  };
  const complaints: (EventComplaint | undefined)[] = [];
  for (let start = 0; start < events.length; start += AT_ONCE) {
    const some = events.slice(start, start + AT_ONCE).map((event, i) => {
      const servers = required[start + i]!;
      return Array.isArray(servers) ? check(event, servers) : servers;
    });
    complaints.push(...(await Promise.all(some)));
  }
  return complaints;
}

function requiredOf(event: ReceivedEvent, rules: RoomVersionRules): Required[] | EventComplaint {
  try {
    const servers = requiredSigners(event, rules).map((server) => {
      const { signatures } = event.pdu;
      const keyIds = Object.hasOwn(signatures, server) ? Object.keys(signatures[server] ?? {}) : [];
      return { server, keyIds: keyIds.filter(isSigningKey).slice(0, MAX_SIGNATURES) };
    });
    const unsigned = servers.find(({ keyIds }) => keyIds.length === 0);
    return unsigned ? { why: `The event is not signed by ${unsigned.server}.`, unknown: false } : servers;
  } catch (error) {
    if (error instanceof MatrixError) return { why: error.message, unknown: false };
    throw error;
  }
}

const isSigningKey = (keyId: string) =>
  isKeyId(keyId) && keyId.startsWith("ed25519:") && keyId !== POLICY_SERVER_KEY_ID;
