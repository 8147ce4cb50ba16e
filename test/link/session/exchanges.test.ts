import { describe, expect, test } from "vitest";
import { LinkError, type LinkHandler } from "../../../src/link/api.ts";
import { growthBudget, initialWindow } from "../../../src/link/session/credit.ts";
import { maxStreams } from "../../../src/link/session/exchange.ts";
import { bodyOf, bytesOf, readAll, same } from "../support/bodies.ts";
import { turn } from "../support/memory-channels.ts";
import { sessionPair } from "../support/sessions.ts";

const request = { method: "GET", target: "/x", headers: [] };
const echo: LinkHandler = async ({ body }) => ({ status: 200, headers: [], body });

/** A promise with its handles. */
function later<T = void>() {
  let resolve!: (value: T) => void;
  const promise = new Promise<T>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

const idle = { asked: 0, answering: 0, budget: growthBudget };

describe("an exchange", () => {
  test("carries method, target, headers and body, and the answer", async () => {
    const { node } = sessionPair({
      relay: async (got) => ({
        status: 207,
        headers: [["x-saw", `${got.method} ${got.target} ${got.headers.join()}`]],
        body: got.body,
      }),
    });
    const sent = bytesOf(200_000);
    const answer = await node.request({
      method: "PUT",
      target: "/a?b",
      headers: [["x-y", "z"]],
      body: bodyOf([sent]).stream,
    });
    expect(answer).toMatchObject({ status: 207, headers: [["x-saw", "PUT /a?b x-y,z"]] });
    expect(same(await readAll(answer.body), sent)).toBe(true);
  });

  test("goes in both directions at once, and leaves nothing behind", async () => {
    const { node, relay } = sessionPair({ node: echo, relay: echo });
    const one = async (session: typeof node, salt: number) => {
      const sent = bytesOf(300_000, salt);
      const { body } = await session.request({ ...request, body: bodyOf([sent]).stream });
      expect(same(await readAll(body), sent)).toBe(true);
    };
    await Promise.all([1, 2, 3].flatMap((salt) => [one(node, salt), one(relay, salt + 100)]));
    await expect.poll(() => [node.use, relay.use]).toEqual([idle, idle]);
  });

  test("a head that cannot be sent fails alone, and certainly untouched", async () => {
    const { node } = sessionPair({ relay: echo });
    const { stream, seen } = bodyOf([bytesOf(1)]);
    const error = await node
      .request({ ...request, target: "no path", body: stream })
      .catch((e: unknown) => e);
    expect(error).toBeInstanceOf(LinkError);
    expect(error).toMatchObject({ untouched: true });
    expect(seen.cancelled).toBe(1);
    expect((await node.request(request)).status).toBe(200);
  });

  test("what a handler throws is a Matrix error with nothing of it inside, and in the log", async () => {
    const { node, logged } = sessionPair({
      relay: async () => {
        throw new Error("the secret");
      },
    });
    const { status, body } = await node.request(request);
    const text = new TextDecoder().decode(await readAll(body));
    expect([status, JSON.parse(text).errcode]).toEqual([500, "M_UNKNOWN"]);
    expect(text).not.toContain("secret");
    expect(logged).toEqual([new Error("the secret")]);
  });

  test("an answer that is none is a 500 as well", async () => {
    const { node } = sessionPair({ relay: async () => ({ status: 99, headers: [] }) });
    expect((await node.request(request)).status).toBe(500);
  });

  test("an answer whose body breaks off, breaks off for its reader", async () => {
    const { node, relay } = sessionPair({
      relay: async () => ({
        status: 200,
        headers: [],
        body: new ReadableStream({
          pull(controller) {
            controller.error(new Error("the disk"));
          },
        }),
      }),
    });
    const { body } = await node.request(request);
    await expect(readAll(body)).rejects.toThrow(LinkError);
    await expect.poll(() => [node.use, relay.use]).toEqual([idle, idle]);
  });

  test("a request whose body breaks off fails with that, and the handler is told", async () => {
    const aborted = later();
    const { node } = sessionPair({
      relay: async ({ body }, signal) => {
        signal.addEventListener("abort", () => aborted.resolve());
        await readAll(body);
        return { status: 200, headers: [] };
      },
    });
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        controller.error(new Error("the disk"));
      },
    });
    await expect(node.request({ ...request, body })).rejects.toThrow("the disk");
    await aborted.promise;
  });
});

describe("giving up", () => {
  test("a caller's signal reaches the handler's", async () => {
    const began = later();
    const aborted = later();
    const { node, relay } = sessionPair({
      relay: (_, signal) =>
        new Promise((_, reject) => {
          began.resolve();
          signal.addEventListener("abort", () => {
            aborted.resolve();
            reject(signal.reason);
          });
        }),
    });
    const controller = new AbortController();
    const answer = node.request(request, controller.signal);
    await began.promise;
    controller.abort(new Error("enough"));
    await expect(answer).rejects.toThrow("enough");
    await aborted.promise;
    await expect.poll(() => [node.use, relay.use]).toEqual([idle, idle]);
  });

  test("a signal that is aborted already asks nothing", async () => {
    const { node, nodeChannel } = sessionPair();
    await expect(node.request(request, AbortSignal.abort(new Error("no")))).rejects.toThrow("no");
    await turn();
    expect(nodeChannel.written).toEqual([]);
  });

  test("who reads no more of an answer stops its maker", async () => {
    const source = bodyOf(Array.from({ length: 500 }, () => bytesOf(10_000)));
    const { node, relay } = sessionPair({
      relay: async () => ({ status: 200, headers: [], body: source.stream }),
    });
    const { body } = await node.request(request);
    await body?.cancel();
    await expect.poll(() => source.seen.cancelled).toBe(1);
    await expect.poll(() => [node.use, relay.use]).toEqual([idle, idle]);
    expect(source.seen.pulled).toBeLessThan(2 * initialWindow);
  });

  test("an answer before the end of the request stops the rest of it, and is whole", async () => {
    const source = bodyOf(Array.from({ length: 500 }, () => bytesOf(10_000)));
    const { node, relay } = sessionPair({
      relay: async () => ({ status: 413, headers: [], body: bodyOf([bytesOf(5)]).stream }),
    });
    const { status, body } = await node.request({ ...request, body: source.stream });
    expect(status).toBe(413);
    expect(await readAll(body)).toEqual(bytesOf(5));
    await expect.poll(() => source.seen.cancelled).toBe(1);
    await expect.poll(() => [node.use, relay.use]).toEqual([idle, idle]);
  });

  test("a handler that wants no more of the body can still answer later", async () => {
    const source = bodyOf(Array.from({ length: 500 }, () => bytesOf(10_000)));
    const { node } = sessionPair({
      relay: async ({ body }) => {
        await body?.cancel();
        await turn();
        return { status: 200, headers: [] };
      },
    });
    expect((await node.request({ ...request, body: source.stream })).status).toBe(200);
    await expect.poll(() => source.seen.cancelled).toBe(1);
  });
});

describe("back-pressure", () => {
  test("nothing is taken from a body beyond the window while nobody reads", async () => {
    const source = bodyOf(Array.from({ length: 100 }, () => bytesOf(10_000)));
    const { node, relay } = sessionPair({ relay: async ({ body }) => ({ status: 200, headers: [], body }) });
    const answer = await node.request({ ...request, body: source.stream });
    for (let turns = 0; turns < 200; turns++) await turn();
    // One window is held at each end of each direction at most, and one piece in hand.
    expect(source.seen.pulled).toBeLessThanOrEqual(3 * initialWindow);
    expect((await readAll(answer.body)).length).toBe(1_000_000);
    await expect.poll(() => [node.use, relay.use]).toEqual([idle, idle]);
  });

  test("readers that stand still hold up nobody else", async () => {
    const { node } = sessionPair({
      relay: async () => ({
        status: 200,
        headers: [],
        body: bodyOf(Array.from({ length: 50 }, () => bytesOf(10_000))).stream,
      }),
    });
    const still = await Promise.all(Array.from({ length: maxStreams - 1 }, () => node.request(request)));
    const { body } = await node.request(request);
    expect((await readAll(body)).length).toBe(500_000);
    expect(still).toHaveLength(maxStreams - 1);
  });

  test("a large body delays a small request by a few pieces only", async () => {
    const { node } = sessionPair({
      relay: async ({ body }) => {
        await readAll(body);
        return { status: 200, headers: [] };
      },
    });
    const total = 50_000_000;
    const piece = bytesOf(64 * 1024);
    let pulled = 0;
    let meanwhile: Promise<number> | undefined;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        pulled += piece.length;
        controller.enqueue(piece);
        if (pulled >= total) controller.close();
        if (pulled < total / 10) return;
        const before = pulled;
        meanwhile ??= node.request(request).then(() => pulled - before);
      },
    });
    await node.request({ ...request, body });
    expect(pulled).toBeGreaterThanOrEqual(total);
    // What the channel holds, what a batch holds, and what goes out while the answer comes.
    expect(await meanwhile).toBeLessThan(600_000);
  });

  test("requests over the number of streams wait, in their order", async () => {
    const gate = later();
    const seen: string[] = [];
    const { node } = sessionPair({
      relay: async ({ target }) => {
        seen.push(target);
        await gate.promise;
        return { status: 200, headers: [] };
      },
    });
    const targets = Array.from({ length: maxStreams + 20 }, (_, index) => `/${index}`);
    const all = Promise.all(targets.map((target) => node.request({ ...request, target })));
    await expect.poll(() => seen.length).toBe(maxStreams);
    for (let turns = 0; turns < 20; turns++) await turn();
    expect(seen.length).toBe(maxStreams);
    gate.resolve();
    await all;
    expect(seen).toEqual(targets);
  });

  test("a request that waits for a stream can be given up", async () => {
    const gate = later();
    const { node } = sessionPair({
      relay: async () => {
        await gate.promise;
        return { status: 200, headers: [] };
      },
    });
    const open = Array.from({ length: maxStreams }, () => node.request(request));
    const controller = new AbortController();
    const waiting = node.request(request, controller.signal);
    const after = node.request(request);
    await turn();
    controller.abort(new Error("enough"));
    await expect(waiting).rejects.toThrow("enough");
    gate.resolve();
    await Promise.all([...open, after]);
    await expect.poll(() => node.use).toEqual(idle);
  });
});
