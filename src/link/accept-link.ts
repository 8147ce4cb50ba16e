import type { Ed25519 } from "../matrix/ed25519.ts";
import type { ByteChannel } from "./api.ts";
import type { Clock } from "./clock.ts";
import {
  type Claim,
  challengeFor,
  isProved,
  readGreeting,
  readProof,
  welcome,
  writeChallenge,
} from "./handshake.ts";
import { HandshakeEnd, handshake, type LinkOptions, lastWord, type Opened } from "./handshake-io.ts";
import { closeFrame } from "./session/close-frame.ts";

/**
 * Whether this key speaks for this name here. The signature has been checked before.
 * @returns undefined: it does; otherwise the reason that the node is told
 */
export type Authorize = (claim: Claim) => Promise<string | undefined>;

/** The relay's side: lets in who proves its name. Never fails; what ended it is the answer. */
export function acceptLink(
  options: LinkOptions,
  relayName: string,
  ed25519: Ed25519,
  authorize: Authorize,
): Promise<Opened> {
  const { channel, clock } = options;
  return handshake(options, "relay", async (steps) => {
    readGreeting(await steps.read());
    const challenge = challengeFor(relayName, channel.kind, clock.now());
    steps.write(writeChallenge(challenge));
    const proof = readProof(await steps.read());
    if (!(await isProved(ed25519, challenge, proof))) {
      throw new HandshakeEnd("refused", "The signature of the challenge does not hold.");
    }
    const { serverName, keyId, publicKey } = proof;
    const refusal = await authorize({ serverName, keyId, publicKey });
    if (refusal !== undefined) throw new HandshakeEnd("refused", refusal);
    steps.write(welcome());
    return serverName;
  });
}

/** Tells a node without any handshake that it cannot come in now, and to try again later. */
export function turnAway(channel: ByteChannel, clock: Clock, reason: string): void {
  const writer = channel.writable.getWriter();
  const frame = closeFrame({ kind: "closed", reason, taken: 0, final: true });
  writer.write(frame).catch(() => undefined);
  clock.after(lastWord, () => channel.close(reason));
}
