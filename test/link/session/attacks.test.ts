import { describe, expect, test } from "vitest";
import type { LinkHandler } from "../../../src/link/api.ts";
import { encodeFrame, frameTypes, maxPayload } from "../../../src/link/frames.ts";
import { initialWindow } from "../../../src/link/session/credit.ts";
import { abortCodes, maxStreams, readAbort } from "../../../src/link/session/exchange.ts";
import { bodyOf, bytesOf } from "../support/bodies.ts";
import { turn } from "../support/memory-channels.ts";
import { rawPeer, u32 } from "../support/raw-peer.ts";

type Peer = ReturnType<typeof rawPeer>;

const never: LinkHandler = () => new Promise(() => undefined);
const { request, response, data, end, stop, abort, credit, ping, pong, close, hello } = frameTypes;

describe("what breaks the protocol ends the session with a reason", () => {
  test.each<[what: string, attack: (peer: Peer) => Promise<void>]>([
    ["a frame over the limit", (peer) => peer.write(Uint8Array.of(1, 0, 1, data, 0, 0, 0, 1))],
    ["data before any request", (peer) => peer.send(data, 1, bytesOf(1))],
    ["an answer that nobody asked for", (peer) => peer.send(response, 4, bytesOf(1))],
    ["an answer that is no JSON", (peer) => peer.send(response, 2, bytesOf(1))],
    ["an answer to one's own request", (peer) => peer.open(1).then(() => peer.send(response, 1))],
    ["a stream of the other side's numbers", (peer) => peer.open(2)],
    ["stream 0", (peer) => peer.open(0)],
    ["a stream twice", (peer) => peer.open(1).then(() => peer.open(1))],
    ["streams that count down", (peer) => peer.open(3).then(() => peer.open(1))],
    ["a head that is no JSON", (peer) => peer.send(request, 1, bytesOf(20))],
    ["a body that was not announced", (peer) => peer.open(1).then(() => peer.send(data, 1, bytesOf(1)))],
    ["an end of nothing", (peer) => peer.open(1).then(() => peer.send(end, 1))],
    ["credit for no body", (peer) => peer.open(1).then(() => peer.send(credit, 1, u32(1)))],
    ["a stop of no body", (peer) => peer.open(1).then(() => peer.send(stop, 1))],
    [
      "data after the end",
      async (peer) => {
        await peer.open(1, true);
        await peer.send(end, 1);
        await peer.send(data, 1, bytesOf(1));
      },
    ],
    [
      "two ends",
      async (peer) => {
        await peer.open(1, true);
        await peer.send(end, 1);
        await peer.send(end, 1);
      },
    ],
    [
      "one byte over the window",
      async (peer) => {
        await peer.open(1, true);
        for (let sent = 0; sent < initialWindow; sent += 16_384) await peer.send(data, 1, bytesOf(16_384));
        await peer.send(data, 1, bytesOf(1));
      },
    ],
    ["a ping of another size", (peer) => peer.send(ping, 0, bytesOf(maxPayload))],
    ["a second handshake", (peer) => peer.send(hello, 0, bytesOf(2))],
    ["a close that is no JSON", (peer) => peer.send(close, 0, bytesOf(2))],
  ])("%s", async (_, attack) => {
    const peer = rawPeer(never);
    const aborted = peer.session.request({ method: "GET", target: "/", headers: [] });
    aborted.catch(() => undefined);
    await attack(peer);
    expect((await peer.session.ended).kind).toBe("protocol");
    await expect(aborted).rejects.toMatchObject({ name: "LinkError", untouched: false });
    const told = await peer.nextOf(close);
    expect(JSON.parse(new TextDecoder().decode(told.payload))).toMatchObject({
      kind: "protocol",
      final: true,
    });
  });

  test("credit past what there can be", async () => {
    const peer = rawPeer(async () => ({ status: 200, headers: [], body: new ReadableStream() }));
    await peer.open(1);
    await peer.nextOf(response);
    await peer.send(credit, 1, u32(0x7fffffff - initialWindow));
    await peer.send(credit, 1, u32(1));
    expect((await peer.session.ended).kind).toBe("protocol");
  });
});

describe("what is late or unknown is passed over", () => {
  test("frames of streams that are over", async () => {
    const peer = rawPeer(async () => ({ status: 204, headers: [] }));
    await peer.open(1);
    await peer.nextOf(response);
    await peer.send(data, 1, bytesOf(10));
    await peer.send(credit, 1, u32(10));
    await peer.send(abort, 1, Uint8Array.of(2));
    await peer.send(stop, 1);
    await peer.open(3);
    expect((await peer.nextOf(response)).stream).toBe(3);
  });

  test("pieces on their way when the handler wanted no more", async () => {
    const peer = rawPeer(async ({ body }) => {
      await body?.cancel();
      return { status: 200, headers: [] };
    });
    await peer.open(1, true);
    await peer.nextOf(stop);
    await peer.send(data, 1, bytesOf(100));
    await peer.send(end, 1);
    await peer.open(3);
    await expect.poll(() => peer.session.use.answering).toBe(0);
  });

  test("types of later versions, and answers to pings that nobody sent", async () => {
    const peer = rawPeer(async () => ({ status: 204, headers: [] }));
    await peer.send(200, 77, bytesOf(100));
    await peer.send(pong, 0, bytesOf(8));
    await peer.open(1);
    expect((await peer.nextOf(response)).stream).toBe(1);
  });
});

describe("floods", () => {
  test("requests over the limit are refused, and are certainly untouched", async () => {
    let begun = 0;
    const peer = rawPeer(() => {
      begun++;
      return new Promise(() => undefined);
    });
    const count = 2 * maxStreams + 10;
    for (let index = 0; index < count; index++) await peer.open(1 + 2 * index);
    const refused = await peer.nextOf(abort);
    expect(readAbort(refused).code).toBe(abortCodes.refused);
    expect(refused.stream).toBe(1 + 2 * 2 * maxStreams);
    expect(begun).toBe(2 * maxStreams);
  });

  test("opening and giving up at once does not get past the limit while handlers are at work", async () => {
    let atWork = 0;
    const peer = rawPeer(() => {
      atWork++;
      return new Promise(() => undefined);
    });
    for (let index = 0; index < 1000; index++) {
      await peer.open(1 + 2 * index);
      await peer.send(abort, 1 + 2 * index, Uint8Array.of(abortCodes.cancelled));
    }
    await peer.nextOf(abort);
    expect(atWork).toBe(2 * maxStreams);
  });

  test("who asks on and does not read the answers is cut off", async () => {
    const peer = rawPeer();
    const asking = (async () => {
      for (let index = 0; index < 20_000; index++) await peer.send(ping, 0, bytesOf(8));
    })();
    expect((await peer.session.ended).kind).toBe("protocol");
    peer.channel.close("done");
    await asking.catch(() => undefined);
  });

  test("answers that are not read count as requests under way", async () => {
    let begun = 0;
    const large = "x".repeat(60_000);
    const peer = rawPeer(async () => {
      begun++;
      return { status: 200, headers: [["x-large", large]] };
    });
    for (let index = 0; index < 2000; index++) {
      await peer.open(1 + 2 * index);
      if (index % 50 === 0) await turn();
    }
    // What the channel takes goes out; what waits for it is bounded.
    expect(begun).toBeLessThan(3 * maxStreams);
  });

  test("bytes one by one hold no more than the window and what they are gathered in", async () => {
    const got: number[] = [];
    let read: (() => Promise<void>) | undefined;
    const peer = rawPeer(async ({ body }) => {
      const reader = body?.getReader();
      read = async () => {
        got.push((await reader?.read())?.value?.length ?? 0);
      };
      return new Promise(() => undefined);
    });
    await peer.open(1, true);
    const one = encodeFrame(data, 1, bytesOf(1));
    const batch = Uint8Array.from(Buffer.concat(Array.from({ length: 40_000 }, () => one)));
    await peer.write(batch);
    await peer.send(ping, 0, bytesOf(8));
    await peer.nextOf(pong);
    await read?.();
    await read?.();
    expect(got).toEqual([16_384, 16_384]);
  });

  test("a reader that stops is sent a window, and no more is taken from the source", async () => {
    const source = bodyOf(Array.from({ length: 100 }, () => bytesOf(10_000)));
    const peer = rawPeer(async () => ({ status: 200, headers: [], body: source.stream }));
    await peer.open(1);
    let received = 0;
    while (received < initialWindow) received += (await peer.nextOf(data)).payload.length;
    await peer.send(ping, 0, bytesOf(8));
    expect((await peer.next())?.type).toBe(pong);
    expect(source.seen.pulled).toBeLessThanOrEqual(initialWindow + 10_000);
  });
});
