import { describe, expect, test } from "vitest";
import type { LinkRequest } from "../../../src/link/api.ts";
import { defaultLimits } from "../../../src/relay/ingress/parts.ts";
import { person, RELAY } from "../support/people.ts";
import { type ArrivedOver, arrived, call, linkAnswer, relay } from "../support/relay.ts";

const node = await person(1);

async function opened(...parameters: Parameters<typeof relay>) {
  const one = relay(...parameters);
  await one.enter(node);
  const api = one.api(node.name);
  const ask = async (method: string, target: string, over: ArrivedOver & { host?: string } = {}) => {
    const answer = await one.ingress.answer(arrived(over.host ?? node.name, method, target, over));
    if (answer === undefined) throw new Error("The ingress has not answered.");
    return answer;
  };
  return { ...one, ask, open: () => call(api, "PUT", "/_relay/v1/client-api", { open: true }) };
}

const versions = "/_matrix/client/versions";

describe("the client API", () => {
  test.each([versions, "/_matrix/media/v3/config", "/.well-known/matrix/client"])(
    "%s reaches the node only where its owner has opened it",
    async (path) => {
      const { ask, open, awake, seen } = await opened();
      awake.set(node.name, async () => linkAnswer(200, { ok: true }));
      const closed = await ask("GET", path);
      expect(closed.status).toBe(404);
      expect(closed.headers.get("access-control-allow-origin")).toBe("*");
      expect(seen.asked).toEqual([]);
      await open();
      const answer = await ask("GET", path);
      expect(await answer.json()).toEqual({ ok: true });
      expect(answer.headers.get("access-control-allow-origin")).toBe("*");
    },
  );

  test("opening one node's opens nobody else's", async () => {
    const { ask, open, enter, awake } = await opened();
    const second = await person(2);
    await enter(second);
    await open();
    for (const one of [node, second]) awake.set(one.name, async () => linkAnswer(200, {}));
    expect((await ask("GET", versions, { host: second.name })).status).toBe(404);
    expect((await ask("GET", versions, { host: RELAY })).status).toBe(404);
    expect((await ask("GET", versions, { host: node.name })).status).toBe(200);
  });

  test("a node that is away is 503 in words, with what a page needs to read it", async () => {
    const { ask, open } = await opened();
    await open();
    const answer = await ask("GET", versions);
    expect(answer.status).toBe(503);
    expect(answer.headers.get("access-control-allow-origin")).toBe("*");
    expect(answer.headers.get("retry-after")).toBe("30");
    expect(await answer.json()).toMatchObject({
      errcode: "M_UNKNOWN",
      error: expect.stringContaining("away"),
    });
  });

  test("preflights are answered by the relay, also for a node that is away", async () => {
    const { ask, seen } = await opened();
    const answer = await ask("OPTIONS", "/_matrix/client/v3/sync");
    expect(answer.status).toBe(200);
    expect(answer.headers.get("access-control-allow-methods")).toContain("PUT");
    expect(answer.headers.get("access-control-allow-headers")).toContain("Authorization");
    expect(seen.asked).toEqual([]);
  });

  test("headers of the node for pages stand, and HEAD has no body", async () => {
    const { ask, open, awake } = await opened();
    await open();
    awake.set(node.name, async () =>
      linkAnswer(200, {}, [["access-control-allow-origin", "https://a.example"]]),
    );
    const answer = await ask("HEAD", versions);
    expect(answer.headers.get("access-control-allow-origin")).toBe("https://a.example");
    expect(await answer.text()).toBe("");
  });

  test("an upload is passed on piece by piece, as it comes", async () => {
    const { ask, open, awake } = await opened();
    await open();
    const pieces: number[] = [];
    let sent = 0;
    awake.set(node.name, async ({ body }) => {
      for await (const piece of body ?? []) {
        pieces.push(piece.length);
        // No more is asked of the sender than was read, but for the piece on its way.
        expect(sent - pieces.length).toBeLessThanOrEqual(1);
      }
      return linkAnswer(200, {});
    });
    const body = new ReadableStream<Uint8Array>(
      {
        pull: (controller) => {
          if (sent++ < 40) controller.enqueue(new Uint8Array(65_536));
          else controller.close();
        },
      },
      { highWaterMark: 0 },
    );
    expect((await ask("POST", "/_matrix/media/v3/upload", { body })).status).toBe(200);
    expect(pieces).toHaveLength(40);
  });

  test("an upload over the limit is refused before, or cut off", async () => {
    const { ask, open, awake } = await opened({ limits: { ...defaultLimits, clientBytes: 10 } });
    await open();
    let asked: LinkRequest | undefined;
    awake.set(node.name, async (request) => {
      asked = request;
      await new Response(request.body).text().catch(() => undefined);
      return linkAnswer(200, {});
    });
    const early = await ask("POST", "/_matrix/media/v3/upload", {
      headers: { "content-length": "11" },
      body: "x",
    });
    expect(early.status).toBe(413);
    expect(asked).toBeUndefined();
    expect((await ask("POST", "/_matrix/media/v3/upload", { body: "x".repeat(11) })).status).toBe(413);
  });

  test("the node is told when the client has gone", async () => {
    const { ask, open, awake } = await opened();
    await open();
    const gone = new AbortController();
    let heard = false;
    awake.set(
      node.name,
      (_, signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener("abort", () => {
            heard = true;
            reject(signal.reason);
          });
          gone.abort(new Error("gone"));
        }),
    );
    expect((await ask("GET", "/_matrix/client/v3/sync", { signal: gone.signal })).status).toBe(503);
    expect(heard).toBe(true);
  });

  test("names are not found through a path", async () => {
    const { ask, open, awake, seen } = await opened();
    await open();
    awake.set(node.name, async () => linkAnswer(200, {}));
    expect((await ask("GET", "/_matrix/client/../federation/v1/version")).status).toBe(400);
    expect((await ask("GET", "/_matrix/client/v3/rooms/!a:b/state/m.x/..%2f..")).status).toBe(400);
    expect(seen.asked).toEqual([]);
    const path = "/_matrix/client/v3/rooms/!a:b/state/m.x/@u:c%2Fd?access_token=x";
    expect((await ask("GET", path)).status).toBe(200);
    expect(seen.asked).toEqual([`GET ${path}`]);
  });
});
