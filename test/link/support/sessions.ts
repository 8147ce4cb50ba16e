import { acceptLink, type Authorize } from "../../../src/link/accept-link.ts";
import type { LinkHandler, LinkIdentity } from "../../../src/link/api.ts";
import { type Clock, systemClock } from "../../../src/link/clock.ts";
import { FrameReader } from "../../../src/link/frame-reader.ts";
import { maxPayload } from "../../../src/link/frames.ts";
import { openLink } from "../../../src/link/open-link.ts";
import { Session } from "../../../src/link/session/session.ts";
import { chooseEd25519 } from "../../../src/matrix/ed25519.ts";
import { serverNameFromKey } from "../../../src/matrix/server-names.ts";
import { type MemoryChannel, memoryChannels, type Travel } from "./memory-channels.ts";

export const relayName = "relay.example.org";
export const keepAlive = { silence: 20_000, patience: 15_000 };
export const ed25519 = await chooseEd25519(globalThis.crypto.subtle as never);

export async function identityFrom(seedByte: number): Promise<LinkIdentity> {
  const seed = new Uint8Array(32).fill(seedByte);
  const publicKey = await ed25519.publicKey(seed);
  return {
    serverName: serverNameFromKey(publicKey),
    keyId: "ed25519:1",
    publicKey,
    sign: await ed25519.signer(seed),
  };
}

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

/** All bytes of a body. */
export async function readAll(body: ReadableStream<Uint8Array> | undefined): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  const reader = body?.getReader();
  for (;;) {
    const { done, value } = (await reader?.read()) ?? { done: true, value: undefined };
    if (done || value === undefined) break;
    pieces.push(value);
  }
  return Uint8Array.from(Buffer.concat(pieces));
}

/** A body of these pieces; `cancelled` counts how often it was given up. */
export function bodyOf(pieces: readonly Uint8Array[]) {
  const rest = [...pieces];
  const seen = { pulled: 0, cancelled: 0 };
  const stream = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const piece = rest.shift();
        if (piece === undefined) return controller.close();
        seen.pulled += piece.length;
        controller.enqueue(piece);
      },
      cancel() {
        seen.cancelled++;
      },
    },
    { highWaterMark: 0 },
  );
  return { stream, seen };
}

export function bytesOf(length: number, salt = 0): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let index = 0; index < length; index++) bytes[index] = index * 31 + (index >> 8) + salt;
  return bytes;
}

/** Whether two bodies are the same: quick, where a matcher would go through them byte by byte. */
export const same = (a: Uint8Array | undefined, b: Uint8Array) => a !== undefined && Buffer.compare(a, b) === 0;
