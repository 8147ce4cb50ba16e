import fc from "fast-check";
import { expect, test } from "vitest";
import type { LinkHandler } from "../../../src/link/api.ts";
import { growthBudget } from "../../../src/link/session/credit.ts";
import type { Session } from "../../../src/link/session/session.ts";
import { bodyOf, bytesOf, joined, readAll, same } from "../support/bodies.ts";
import { turn } from "../support/memory-channels.ts";
import { sessionPair } from "../support/sessions.ts";

const size = fc.oneof(fc.nat(300), fc.nat(20_000), fc.constantFrom(0, 16_384, 65_536, 65_537, 150_000));

const exchange = fc.record({
  side: fc.constantFrom("node" as const, "relay" as const),
  /** Pieces of the request's body; undefined: it has none. */
  up: fc.option(fc.array(size, { maxLength: 4 }), { nil: undefined }),
  down: fc.option(fc.array(size, { maxLength: 4 }), { nil: undefined }),
  /** Whether the handler reads the request: not at all, before it answers, or while it answers. */
  reads: fc.constantFrom("not", "first"),
  /** What the asking side does: reads all, cancels the body after some pieces, or aborts after some turns. */
  ends: fc.oneof(
    fc.constant({ how: "reads" as const }),
    fc.record({ how: fc.constant("cancels" as const), after: fc.nat(3) }),
    fc.record({ how: fc.constant("aborts" as const), after: fc.nat(30) }),
  ),
  startsAfter: fc.nat(10),
  /** Turns between one read and the next. */
  slow: fc.nat(2),
});
type Exchange = typeof exchange extends fc.Arbitrary<infer T> ? T : never;

const idle = { asked: 0, answering: 0, budget: growthBudget };
const pieces = (sizes: number[], salt: number) => sizes.map((length) => bytesOf(length, salt));
const whole = (sizes: number[], salt: number) => joined(pieces(sizes, salt));

test("what comes out of any exchanges in any order is what went in, and nothing is left behind", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(exchange, { minLength: 1, maxLength: 8 }),
      fc.array(fc.integer({ min: 1, max: 70_000 }), { minLength: 1, maxLength: 6 }),
      fc.array(fc.nat(2), { minLength: 1, maxLength: 6 }),
      async (exchanges, cuts, delays) => {
        const requests: { target: string; body: Uint8Array }[] = [];
        const handler: LinkHandler = async ({ target, body }) => {
          const index = Number(target.slice(1));
          const { reads, down } = exchanges[index] as Exchange;
          if (reads === "first") requests.push({ target, body: await readAll(body) });
          return {
            status: 200,
            headers: [["x-index", String(index)]],
            body: down && bodyOf(pieces(down, index + 50)).stream,
          };
        };
        let step = 0;
        const travel = {
          cut: () => cuts[step++ % cuts.length] ?? 1,
          delay: () => delays[step++ % delays.length] ?? 0,
        };
        const pair = sessionPair({ node: handler, relay: handler }, { travel });
        const outcomes = await Promise.all(exchanges.map((one, index) => run(pair[one.side], one, index)));
        exchanges.forEach((one, index) => {
          if (one.ends.how !== "reads") return;
          expect(same(outcomes[index], whole(one.down ?? [], index + 50))).toBe(true);
          if (one.reads !== "first") return;
          const seen = requests.filter(({ target }) => target === `/${index}`);
          expect(seen.map(({ body }) => same(body, whole(one.up ?? [], index)))).toEqual([true]);
        });
        while (
          pair.node.use.asked + pair.node.use.answering + pair.relay.use.asked + pair.relay.use.answering >
          0
        ) {
          await turn();
        }
        expect([pair.node.use, pair.relay.use]).toEqual([idle, idle]);
        // Still whole: neither side has found fault with the other.
        await Promise.all([pair.node.ping(), pair.relay.ping()]);
        await pair.node.close("The test is over.");
        expect((await pair.relay.ended).kind).toBe("closed");
      },
    ),
  );
}, 60_000);

/** @returns the body, where it was read to its end */
async function run(session: Session, one: Exchange, index: number): Promise<Uint8Array | undefined> {
  await turns(one.startsAfter);
  const controller = new AbortController();
  const { ends } = one;
  const aborting = ends.how === "aborts" ? turns(ends.after).then(() => controller.abort()) : undefined;
  try {
    const body = one.up && bodyOf(pieces(one.up, index)).stream;
    const answer = await session.request(
      { method: "POST", target: `/${index}`, headers: [], body },
      controller.signal,
    );
    expect(answer.headers).toEqual([["x-index", String(index)]]);
    expect(answer.body === undefined).toBe(one.down === undefined);
    return await read(answer.body, one);
  } catch (error) {
    // Only who gives up may see it fail.
    expect([ends.how, (error as Error).name]).toEqual(["aborts", "AbortError"]);
    return undefined;
  } finally {
    await aborting;
  }
}

async function read(body: ReadableStream<Uint8Array> | undefined, { ends, slow }: Exchange) {
  const reader = body?.getReader();
  const got: Uint8Array[] = [];
  for (let count = 0; ; count++) {
    if (ends.how === "cancels" && count >= ends.after) {
      await reader?.cancel();
      return undefined;
    }
    await turns(slow);
    const { done, value } = (await reader?.read()) ?? { done: true, value: undefined };
    if (done || value === undefined) return joined(got);
    got.push(value);
  }
}

async function turns(count: number): Promise<void> {
  for (let left = count; left > 0; left--) await turn();
}
