import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ByteChannel } from "../../../src/link/api.ts";
import { type Clock, systemClock } from "../../../src/link/clock.ts";
import { connectFetch, type Fetch } from "../../../src/link/transports/fetch.ts";
import { maxTransfer } from "../../../src/link/transports/fetch-protocol.ts";
import { FetchDoor } from "../../../src/relay/sessions/fetch-door.ts";
import { bytesOf, joined, same } from "../../link/support/bodies.ts";
import { manualClock } from "../../link/support/manual-clock.ts";
import { turn } from "../../link/support/memory-channels.ts";

const base = "http://relay.example/_relay/v1/link";

function door(clock: Clock = systemClock) {
  const accepted: ByteChannel[] = [];
  const made = new FetchDoor(clock, (channel) => accepted.push(channel));
  const ask = (path: string, init: RequestInit = {}) =>
    made.answer(new Request(`${base}${path}`, init), path.replace(/\?.*/, ""), "192.0.2.1");
  return {
    made,
    accepted,
    ask,
    async open() {
      const answer = await ask("", { method: "POST" });
      const { session } = (await answer.json()) as { session: string };
      const [channel] = accepted.slice(-1) as [ByteChannel];
      return { path: `/${session}`, channel };
    },
    /** What the node's side asks with. `lose` says of each request whether it, or its answer, gets lost. */
    network(lose: () => "request" | "answer" | undefined): Fetch {
      return async (url, init) => {
        const lost = lose();
        if (lost === "request") throw new TypeError("Failed to fetch");
        const answer = await ask(url.slice(base.length), init);
        if (lost === "answer") throw new TypeError("Failed to fetch");
        return answer;
      };
    },
  };
}

/** Writes all pieces, while as much is read at the other end. */
async function carry(from: ByteChannel, to: ByteChannel, pieces: Uint8Array[]): Promise<Uint8Array> {
  const writer = from.writable.getWriter();
  const writing = (async () => {
    for (const piece of pieces) await writer.write(piece);
  })();
  const total = pieces.reduce((sum, { length }) => sum + length, 0);
  const got: Uint8Array[] = [];
  const reader = to.readable.getReader();
  for (let read = 0; read < total; ) {
    const { done, value } = await reader.read();
    if (done) break;
    got.push(value);
    read += value.length;
  }
  await writing;
  return joined(got);
}

describe("bytes over plain requests", () => {
  test("are neither lost nor doubled, whichever requests and answers get lost", async () => {
    const size = fc.oneof(fc.integer({ min: 1, max: 2000 }), fc.constantFrom(maxTransfer, maxTransfer + 1));
    const pieces = fc.array(size, { minLength: 1, maxLength: 4 });
    const losses = fc.array(fc.constantFrom("request" as const, "answer" as const, undefined), {
      maxLength: 6,
    });
    await fc.assert(
      fc.asyncProperty(pieces, pieces, losses, async (up, down, lost) => {
        const { accepted, network } = door();
        // The first opens the session: whether that is repeated is for the keeper to say.
        const plan = [undefined, ...lost];
        const node = await connectFetch(
          base,
          new AbortController().signal,
          network(() => plan.shift()),
          (run) => void turn().then(run),
        );
        const [relay] = accepted as [ByteChannel];
        const upward = up.map((length, index) => bytesOf(length, index));
        const downward = down.map((length, index) => bytesOf(length, index + 100));
        const [there, back] = await Promise.all([carry(node, relay, upward), carry(relay, node, downward)]);
        expect([same(there, joined(upward)), same(back, joined(downward))]).toEqual([true, true]);
        node.close("done");
      }),
      { numRuns: 30 },
    );
  });

  test("what was written before the end is read before the end", async () => {
    const { accepted, network } = door();
    const node = await connectFetch(
      base,
      new AbortController().signal,
      network(() => undefined),
    );
    const [relay] = accepted as [ByteChannel];
    await relay.writable.getWriter().write(bytesOf(10));
    relay.close("over");
    const reader = node.readable.getReader();
    expect((await reader.read()).value).toEqual(bytesOf(10));
    expect((await reader.read()).done).toBe(true);
  });

  test("a session that the node ends has ended at the relay", async () => {
    const { made, accepted, network } = door();
    const node = await connectFetch(
      base,
      new AbortController().signal,
      network(() => undefined),
    );
    const [relay] = accepted as [ByteChannel];
    node.close("gone");
    expect((await relay.readable.getReader().read()).done).toBe(true);
    expect(made.size).toBe(0);
  });

  test("a session that the relay has forgotten is broken", async () => {
    const { accepted, network } = door();
    const forgotten = network(() => undefined);
    const node = await connectFetch(base, new AbortController().signal, (url, init) =>
      accepted.length === 0
        ? forgotten(url, init)
        : forgotten(url.replace(/link\/[^/]+/, "link/other"), init),
    );
    await expect(node.readable.getReader().read()).rejects.toThrow("404");
    await expect(node.writable.getWriter().write(bytesOf(1))).rejects.toThrow();
  });
});

describe("the door", () => {
  test("lets go of a node that asks no more, and of the timer", async () => {
    const clock = manualClock();
    const { made, open } = door(clock);
    const { channel } = await open();
    clock.advance(59_999);
    expect(made.size).toBe(1);
    clock.advance(1);
    expect([made.size, clock.pending]).toEqual([0, []]);
    await expect(channel.readable.getReader().read()).rejects.toThrow("asks no more");
  });

  test("answers a poll with nothing after its time, and the one before at once when there is another", async () => {
    const clock = manualClock();
    const { ask, open } = door(clock);
    const { path } = await open();
    const first = ask(`${path}/down?at=0`);
    await turn();
    const second = ask(`${path}/down?at=0`);
    expect((await (await first).arrayBuffer()).byteLength).toBe(0);
    await turn();
    clock.advance(25_000);
    const answer = await second;
    expect([answer.status, answer.headers.get("x-hearth-link")]).toEqual([200, "open"]);
  });

  test("holds no more than a transfer of what nobody reads, and says how much it took", async () => {
    const clock = manualClock();
    const { ask, open } = door(clock);
    const { path } = await open();
    const full = await ask(`${path}/up?at=0`, { method: "POST", body: new Uint8Array(maxTransfer) });
    expect(await full.json()).toEqual({ at: maxTransfer });
    const more = ask(`${path}/up?at=${maxTransfer}`, { method: "POST", body: new Uint8Array(10) });
    await expect.poll(() => clock.pending.length).toBe(2);
    clock.advance(25_000);
    expect(await (await more).json()).toEqual({ at: maxTransfer });
  });

  test("the writer waits for a node that does not ask", async () => {
    const { open, ask } = door();
    const { path, channel } = await open();
    const writer = channel.writable.getWriter();
    let written = false;
    const writing = writer.write(new Uint8Array(maxTransfer + 1)).then(() => {
      written = true;
    });
    for (let turns = 0; turns < 5; turns++) await turn();
    expect(written).toBe(false);
    expect((await (await ask(`${path}/down?at=0`)).arrayBuffer()).byteLength).toBe(maxTransfer);
    expect((await (await ask(`${path}/down?at=${maxTransfer}`)).arrayBuffer()).byteLength).toBe(1);
    await writing;
  });

  test.each<[what: string, path: (session: string) => string, init: RequestInit, status: number]>([
    ["a session that nobody opened", () => "/abc/down?at=0", {}, 404],
    ["a path behind the verb", (s) => `${s}/down/x?at=0`, {}, 404],
    ["another verb", (s) => `${s}/sideways?at=0`, { method: "POST" }, 404],
    ["bytes that skip some", (s) => `${s}/up?at=5`, { method: "POST", body: "x" }, 409],
    ["bytes that were never sent", (s) => `${s}/down?at=5`, {}, 409],
    ["no position", (s) => `${s}/down`, {}, 400],
    ["a position that is none", (s) => `${s}/down?at=-1`, {}, 400],
    [
      "a transfer that is too large",
      (s) => `${s}/up?at=0`,
      { method: "POST", body: new Uint8Array(maxTransfer + 1) },
      413,
    ],
    ["opening by GET", () => "", {}, 405],
    ["taking by POST", (s) => `${s}/down?at=0`, { method: "POST" }, 405],
  ])("%s is answered with its error, which a page may read", async (_, path, init, status) => {
    const { ask, open } = door();
    const answer = await ask(path((await open()).path), init);
    expect([answer.status, answer.headers.get("access-control-allow-origin")]).toEqual([status, "*"]);
    expect(await answer.json()).toMatchObject({ errcode: expect.stringMatching(/^M_/) });
  });

  test("requests to one session at once are limited", async () => {
    const clock = manualClock();
    const { ask, open } = door(clock);
    const { path } = await open();
    await ask(`${path}/up?at=0`, { method: "POST", body: new Uint8Array(maxTransfer) });
    for (let count = 0; count < 4; count++) {
      void ask(`${path}/up?at=${maxTransfer}`, { method: "POST", body: "x" });
    }
    await turn();
    expect((await ask(`${path}/down?at=0`)).status).toBe(429);
  });

  test("a page of another origin may ask", async () => {
    const { ask } = door();
    const answer = await ask("", { method: "OPTIONS" });
    expect([answer.status, answer.headers.get("access-control-allow-methods")]).toEqual([204, "GET, POST"]);
  });
});
