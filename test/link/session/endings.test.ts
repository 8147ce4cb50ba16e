import { describe, expect, test } from "vitest";
import type { LinkHandler } from "../../../src/link/api.ts";
import { frameTypes } from "../../../src/link/frames.ts";
import { bodyOf, bytesOf, readAll } from "../support/bodies.ts";
import { keepAlive } from "../support/identities.ts";
import { manualClock } from "../support/manual-clock.ts";
import { turn } from "../support/memory-channels.ts";
import { rawPeer } from "../support/raw-peer.ts";
import { sessionPair } from "../support/sessions.ts";

const request = { method: "GET", target: "/x", headers: [] };

/** A handler that answers when it is let. */
function gated() {
  let open: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  let begin: () => void = () => undefined;
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const handler: LinkHandler = async () => {
    begin();
    await gate;
    return { status: 200, headers: [], body: bodyOf([bytesOf(100_000)]).stream };
  };
  return { handler, open, begun };
}

describe("closing", () => {
  test("lets what is under way end, takes no more, and both hear why", async () => {
    const { handler, open, begun } = gated();
    const { node, relay } = sessionPair({ relay: handler });
    const under = node.request(request);
    await begun;
    const closed = relay.close("The relay is being updated.");
    // The notice overtakes nothing and is there after the next answer to a ping.
    await node.ping();
    await expect(node.request(request)).rejects.toMatchObject({ name: "LinkError", untouched: true });
    await expect(relay.request(request)).rejects.toMatchObject({ name: "LinkError", untouched: true });
    open();
    expect((await readAll((await under).body)).length).toBe(100_000);
    await closed;
    expect(await node.ended).toEqual({ kind: "closed", reason: "The relay is being updated." });
    expect((await relay.ended).kind).toBe("closed");
  });

  test("ends what is still under way after the grace", async () => {
    const clock = manualClock();
    const { handler, begun } = gated();
    const { node, relay } = sessionPair({ relay: handler }, { clock });
    const under = node.request(request);
    await begun;
    const closed = relay.close("Enough.", 5000);
    clock.advance(5000);
    await expect(under).rejects.toMatchObject({ name: "LinkError", untouched: false });
    await closed;
    expect((await node.ended).reason).toBe("Enough.");
  });

  test("tells the asking side which requests were not begun with", async () => {
    const peer = rawPeer();
    const first = peer.session.request(request);
    const second = peer.session.request(request);
    await peer.nextOf(frameTypes.request);
    await peer.nextOf(frameTypes.request);
    const notice = { kind: "closed", reason: "Bye.", taken: 2, final: true };
    await peer.send(frameTypes.close, 0, new TextEncoder().encode(JSON.stringify(notice)));
    await expect(first).rejects.toMatchObject({ untouched: false });
    await expect(second).rejects.toMatchObject({ untouched: true });
  });

  test("does not wait for ever for a peer that does not close", async () => {
    const clock = manualClock();
    const peer = rawPeer(undefined, clock);
    const closed = peer.session.close("Bye.");
    await peer.nextOf(frameTypes.close);
    await peer.nextOf(frameTypes.close);
    clock.advance(2000);
    await closed;
    expect(await peer.next()).toBeUndefined();
  });

  test("leaves no timers", async () => {
    const clock = manualClock();
    const { node, relay } = sessionPair({}, { clock });
    await node.request(request);
    await relay.close("Bye.");
    await node.ended;
    expect(clock.pending).toEqual([]);
  });
});

describe("a connection that breaks", () => {
  test("fails what is under way on both sides, touched", async () => {
    const { handler, begun } = gated();
    const aborted: unknown[] = [];
    const { node, relay, nodeChannel } = sessionPair({
      relay: (got, signal) => {
        signal.addEventListener("abort", () => aborted.push(signal.reason));
        return handler(got, signal);
      },
    });
    const under = node.request(request);
    const ping = node.ping();
    await begun;
    await ping;
    const unanswered = node.ping();
    nodeChannel.break();
    await expect(under).rejects.toMatchObject({ name: "LinkError", untouched: false });
    await expect(unanswered).rejects.toMatchObject({ name: "LinkError" });
    expect([(await node.ended).kind, (await relay.ended).kind]).toEqual(["broken", "broken"]);
    expect(aborted).toHaveLength(1);
    await expect(node.request(request)).rejects.toMatchObject({ untouched: true });
    await expect(node.ping()).rejects.toMatchObject({ untouched: true });
  });

  test("a request that was never written is untouched", async () => {
    const { node, nodeChannel } = sessionPair();
    const under = node.request(request);
    nodeChannel.break();
    await expect(under).rejects.toMatchObject({ untouched: true });
  });

  test("breaks off bodies for their readers, and lets go of their sources", async () => {
    const source = bodyOf(Array.from({ length: 100 }, () => bytesOf(10_000)));
    const { node, nodeChannel } = sessionPair({
      relay: async () => ({ status: 200, headers: [], body: source.stream }),
    });
    const { body } = await node.request(request);
    nodeChannel.break();
    await expect(readAll(body)).rejects.toMatchObject({ name: "LinkError", untouched: false });
    await expect.poll(() => source.seen.cancelled).toBe(1);
  });
});

describe("a peer that has died without a word", () => {
  test("is asked, and given up when it does not answer", async () => {
    const clock = manualClock();
    const peer = rawPeer(undefined, clock);
    clock.advance(keepAlive.silence - 1);
    clock.advance(1);
    expect((await peer.next())?.type).toBe(frameTypes.ping);
    clock.advance(keepAlive.patience - 1);
    expect(clock.pending).toHaveLength(1);
    clock.advance(1);
    expect((await peer.session.ended).kind).toBe("broken");
    expect(clock.pending).toEqual([]);
  });

  test("is not given up while it answers", async () => {
    const clock = manualClock();
    const { node, relay } = sessionPair({}, { clock });
    for (let passed = 0; passed < 5 * (keepAlive.silence + keepAlive.patience); passed += 5000) {
      clock.advance(5000);
      for (let turns = 0; turns < 10; turns++) await turn();
    }
    expect(await Promise.all([node.ping(), relay.ping()])).toEqual([0, 0]);
  });
});
