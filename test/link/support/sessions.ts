import { type Authorize, acceptLink } from "../../../src/link/accept-link.ts";
import type { LinkHandler, LinkIdentity } from "../../../src/link/api.ts";
import { type Clock, systemClock } from "../../../src/link/clock.ts";
import { FrameReader } from "../../../src/link/frame-reader.ts";
import { maxPayload } from "../../../src/link/frames.ts";
import { openLink } from "../../../src/link/open-link.ts";
import { Session } from "../../../src/link/session/session.ts";
import { ed25519, keepAlive, relayName } from "./identities.ts";
import { type MemoryChannel, memoryChannels, type Travel } from "./memory-channels.ts";

export const noAnswers: LinkHandler = async () => ({ status: 404, headers: [] });

export type Pair = {
  node: Session;
  relay: Session;
  nodeChannel: MemoryChannel;
  relayChannel: MemoryChannel;
  /** What handlers and bodies have thrown. */
  logged: unknown[];
};

/** Two sessions over memory, without the handshake. */
export function sessionPair(
  handlers: { node?: LinkHandler; relay?: LinkHandler } = {},
  { travel = {}, clock = systemClock }: { travel?: Travel; clock?: Clock } = {},
): Pair {
  const [nodeChannel, relayChannel] = memoryChannels("websocket", travel);
  const logged: unknown[] = [];
  const open = (side: "node" | "relay", channel: MemoryChannel) =>
    new Session({
      channel,
      frames: new FrameReader(channel.readable, maxPayload),
      writer: channel.writable.getWriter(),
      side,
      serverName: "node.example.org",
      handler: handlers[side] ?? noAnswers,
      clock,
      keepAlive,
      log: (error) => logged.push(error),
    });
  return {
    node: open("node", nodeChannel),
    relay: open("relay", relayChannel),
    nodeChannel,
    relayChannel,
    logged,
  };
}

export const everybody: Authorize = async () => undefined;

/** Both sides of the handshake over memory. */
export async function shakeHands(
  identity: LinkIdentity,
  {
    authorize = everybody,
    expected = relayName,
    own = relayName,
  }: { authorize?: Authorize; expected?: string; own?: string } = {},
) {
  const [nodeChannel, relayChannel] = memoryChannels();
  const options = { handler: noAnswers, clock: systemClock, keepAlive, log: () => undefined };
  const [node, relay] = await Promise.all([
    openLink({ ...options, channel: nodeChannel }, expected, identity),
    acceptLink({ ...options, channel: relayChannel }, own, ed25519, authorize),
  ]);
  return { node, relay, nodeChannel, relayChannel };
}
