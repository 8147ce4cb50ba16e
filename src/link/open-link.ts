import type { LinkIdentity } from "./api.ts";
import { greeting, readChallenge, readWelcome, writeProof } from "./handshake.ts";
import { handshake, type LinkOptions, type Opened } from "./handshake-io.ts";

export type { Opened } from "./handshake-io.ts";

/**
 * The node's side: proves who it is, and opens the session. Never fails; what ended it is the answer.
 * @param relayName - the relay that is meant: a challenge of any other is not signed
 * @param mayProve - waited for before the proof is sent. With the proof the relay opens the session, which takes the
 *   place of any other of this server
 */
export function openLink(
  options: LinkOptions,
  relayName: string,
  identity: LinkIdentity,
  mayProve: () => Promise<void> = async () => undefined,
): Promise<Opened> {
  return handshake(options, "node", async (steps) => {
    // The node is the first to speak: a stream of WebTransport is not there for the relay before something is on it.
    steps.write(greeting());
    const challenge = readChallenge(await steps.read(), relayName, options.channel.kind);
    await mayProve();
    steps.write(await writeProof(challenge, identity));
    readWelcome(await steps.read());
    return identity.serverName;
  });
}
