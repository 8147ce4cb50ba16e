import type { Ed25519 } from "../../../src/matrix/ed25519.ts";
import { serverNameOf, type UserId } from "../../../src/matrix/identifiers.ts";
import { type ReceivedEvent, readReceivedEvent } from "../../../src/matrix/received-event.ts";
import { verifyEventSignature } from "../../../src/matrix/signing.ts";
import type { Servers } from "./servers.ts";
import { rules } from "./signed-room.ts";

/** Signatures that are verified at a time: WebCrypto has threads of its own. */
export const AT_A_TIME = 100;

/** Reads events as they come from elsewhere: checks their form and hashes, and the signatures of their senders' servers. */
export async function readEvents(
  texts: readonly string[],
  servers: Servers,
  ed25519: Ed25519,
): Promise<ReceivedEvent[]> {
  const read: ReceivedEvent[] = [];
  for (let first = 0; first < texts.length; first += AT_A_TIME) {
    const events = texts.slice(first, first + AT_A_TIME).map((text) => readReceivedEvent(text, rules));
    const verdicts = await Promise.all(
      events.map(({ pdu }) => {
        const server = serverNameOf(pdu.sender as UserId);
        const { keyId, publicKey } = servers.keyOf(server);
        return verifyEventSignature(pdu, rules, server, keyId, publicKey, ed25519);
      }),
    );
    if (verdicts.includes(false))
      throw new Error("an event of the benchmark is not signed by its sender's server");
    for (const event of events) read.push(event);
  }
  return read;
}
