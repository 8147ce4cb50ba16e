import { describe, expect, test } from "vitest";
import { acceptLink } from "../../src/link/accept-link.ts";
import { systemClock } from "../../src/link/clock.ts";
import { FrameReader } from "../../src/link/frame-reader.ts";
import { encodeFrame, frameTypes, maxHandshakePayload, maxPayload } from "../../src/link/frames.ts";
import { challengeFor, isProved, readProof, writeProof } from "../../src/link/handshake.ts";
import { encodeBase64 } from "../../src/matrix/base64.ts";
import { ed25519, identityFrom, keepAlive, relayName } from "./support/identities.ts";
import { type ManualClock, manualClock } from "./support/manual-clock.ts";
import { memoryChannels, turn } from "./support/memory-channels.ts";
import { everybody, noAnswers, shakeHands } from "./support/sessions.ts";

const identity = await identityFrom(1);
const other = await identityFrom(2);

/** A relay in its handshake with a peer that writes what it likes. */
function halfOpen(clock = systemClock as ManualClock, own = relayName) {
  const [mine, theirs] = memoryChannels();
  const options = { channel: theirs, handler: noAnswers, clock, keepAlive, log: () => undefined };
  const opened = acceptLink(options, own, ed25519, everybody);
  const writer = mine.writable.getWriter();
  const frames = new FrameReader(mine.readable, maxPayload);
  return {
    opened,
    channel: mine,
    write: (bytes: Uint8Array) => void writer.write(bytes).catch(() => undefined),
    step(json: unknown) {
      this.write(encodeFrame(frameTypes.hello, 0, new TextEncoder().encode(JSON.stringify(json))));
    },
    async read() {
      const frame = await frames.next();
      return frame && JSON.parse(new TextDecoder().decode(frame.payload));
    },
  };
}

const greeting = { step: "greeting", versions: [1] };

describe("the handshake", () => {
  test("opens a session for who has the key", async () => {
    const claims: unknown[] = [];
    const { node, relay } = await shakeHands(identity, {
      authorize: async (claim) => {
        claims.push(claim);
        return undefined;
      },
    });
    expect(relay.link?.serverName).toBe(identity.serverName);
    expect(claims).toEqual([
      { serverName: identity.serverName, keyId: identity.keyId, publicKey: identity.publicKey },
    ]);
    expect((await node.link?.request({ method: "GET", target: "/", headers: [] }))?.status).toBe(404);
    expect((await relay.link?.request({ method: "GET", target: "/", headers: [] }))?.status).toBe(404);
  });

  test("a signature by another key is refused before anybody is asked about the name", async () => {
    let asked = 0;
    const { node, relay } = await shakeHands(
      { ...identity, sign: other.sign },
      {
        authorize: async () => {
          asked++;
          return undefined;
        },
      },
    );
    expect([node.end?.kind, relay.end?.kind, asked]).toEqual(["refused", "refused", 0]);
  });

  test("the reason for a refusal reaches the node", async () => {
    const { node, relay } = await shakeHands(identity, { authorize: async () => "This relay is full." });
    const end = { kind: "refused", reason: "This relay is full." };
    expect([node.end, relay.end]).toEqual([end, end]);
  });

  test("a node signs no challenge of another relay than the one that it means", async () => {
    const { node, relay, nodeChannel } = await shakeHands(identity, { own: "evil.example.org" });
    expect([node.end?.kind, relay.end?.kind]).toEqual(["protocol", "protocol"]);
    const written = nodeChannel.written.map((bytes) => new TextDecoder().decode(bytes)).join("");
    expect(written).not.toContain("signature");
  });

  test.each<[what: string, change: object]>([
    ["another relay", { relay: "other.example.org" }],
    ["another connection", { nonce: encodeBase64(new Uint8Array(32)) }],
    ["another time", { time: 5 }],
    ["another kind of connection", { kind: "fetch" }],
  ])("a proof for %s does not hold", async (_, change) => {
    const challenge = challengeFor(relayName, "websocket", 1_700_000_000_000);
    const proof = readProof(await writeProof({ ...challenge, ...change }, identity));
    expect(await isProved(ed25519, challenge, proof)).toBe(false);
    expect(await isProved(ed25519, { ...challenge, ...change }, proof)).toBe(true);
  });

  test("a proof does not hold for another name or key id", async () => {
    const challenge = challengeFor(relayName, "websocket", 1_700_000_000_000);
    const proof = readProof(await writeProof(challenge, identity));
    expect(await isProved(ed25519, challenge, { ...proof, serverName: other.serverName })).toBe(false);
    expect(await isProved(ed25519, challenge, { ...proof, keyId: "ed25519:2" })).toBe(false);
  });

  test("what was heard on one connection opens no second one", async () => {
    const { nodeChannel } = await shakeHands(identity);
    const replay = halfOpen();
    for (const bytes of nodeChannel.written) replay.write(bytes);
    expect((await replay.opened).end?.kind).toBe("refused");
  });

  test("each challenge is another", () => {
    const nonces = Array.from({ length: 50 }, () => challengeFor(relayName, "fetch", 1).nonce);
    expect(new Set(nonces).size).toBe(50);
  });
});

describe("before the handshake is over", () => {
  test("a request ends it", async () => {
    const half = halfOpen();
    half.write(encodeFrame(frameTypes.request, 1, new TextEncoder().encode('["GET","/",[],0]')));
    expect((await half.opened).end?.kind).toBe("protocol");
    expect(await half.read()).toMatchObject({ kind: "protocol", final: true });
  });

  test("a request right behind the proof waits for the welcome, and is answered", async () => {
    const half = halfOpen();
    half.step(greeting);
    const { step, version, ...challenge } = await half.read();
    expect([step, version]).toEqual(["challenge", 1]);
    half.step(await writeProof(challenge, identity));
    half.write(encodeFrame(frameTypes.request, 1, new TextEncoder().encode('["GET","/",[],0]')));
    expect((await half.read()).step).toBe("welcome");
    expect(await half.read()).toEqual([404, [], 0]);
  });

  test("a frame is small", async () => {
    const half = halfOpen();
    half.write(encodeFrame(frameTypes.hello, 0, new Uint8Array(maxHandshakePayload + 1)).subarray(0, 8));
    expect((await half.opened).end?.kind).toBe("protocol");
  });

  test.each<[what: string, json: unknown]>([
    ["no greeting", { step: "proof" }],
    ["a version that is not spoken", { step: "greeting", versions: [2] }],
    ["no object", 5],
  ])("%s is answered with why", async (_, json) => {
    const half = halfOpen();
    half.step(json);
    expect((await half.opened).end?.kind).toBe("protocol");
    expect(await half.read()).toMatchObject({ kind: "protocol", final: true });
  });

  test.each<[what: string, change: object]>([
    ["no server name", { server_name: "a b" }],
    ["no key id", { key_id: "rsa:1" }],
    ["half a key", { public_key: "AAAA" }],
    ["half a signature", { signature: "AAAA" }],
  ])("a proof with %s is none", async (_, change) => {
    const half = halfOpen();
    half.step(greeting);
    const { step, version, ...challenge } = await half.read();
    expect([step, version]).toEqual(["challenge", 1]);
    half.step({ ...(await writeProof(challenge, identity)), ...change });
    expect((await half.opened).end?.kind).toBe("protocol");
  });

  test("half of it is all that a peer gets time for", async () => {
    const clock = manualClock();
    const half = halfOpen(clock);
    half.step(greeting);
    await half.read();
    clock.advance(9_999);
    await turn();
    expect(clock.pending).toEqual([1]);
    clock.advance(1);
    expect((await half.opened).end?.kind).toBe("broken");
    expect(await half.read()).toBeUndefined();
    expect(clock.pending).toEqual([]);
  });

  test("a peer that goes away leaves nothing", async () => {
    const clock = manualClock();
    const half = halfOpen(clock);
    half.channel.close("gone");
    expect((await half.opened).end?.kind).toBe("closed");
    expect(clock.pending).toEqual([]);
  });
});
