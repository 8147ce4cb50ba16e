import { afterEach, expect, test, vi } from "vitest";
import type { EgressRequest } from "../../../src/worker-roomserver/egress/api.ts";
import { directFetch } from "../../../src/worker-roomserver/egress/direct-fetch.ts";

afterEach(() => void vi.unstubAllGlobals());

const request: EgressRequest = {
  method: "POST",
  purpose: "push",
  url: "https://push.example.org/x",
  headers: { "Content-Type": "application/json" },
  body: "{}",
  timeout: 1_000,
  maxBytes: 10,
};

/** The servers outside: all of them answer this. */
function outside(answer: (init: RequestInit) => Response | Promise<Response>) {
  const asked: [url: string, init: RequestInit][] = [];
  vi.stubGlobal("fetch", async (url: URL, init: RequestInit) => {
    asked.push([url.href, init]);
    return answer(init);
  });
  return asked;
}

test("sends what it is told to and nothing of the browser's, and hands back what came", async () => {
  const asked = outside(() => new Response("0123456789", { status: 418, headers: { "X-A": "b" } }));
  const response = await directFetch(request);
  expect(response).toMatchObject({ status: 418, headers: { "x-a": "b" } });
  expect(new TextDecoder().decode(response.body)).toBe("0123456789");
  expect(asked).toMatchObject([
    [
      "https://push.example.org/x",
      {
        method: "POST",
        body: "{}",
        credentials: "omit",
        redirect: "error",
        cache: "no-store",
        referrerPolicy: "no-referrer",
      },
    ],
  ]);
});

test("takes an answer without a body", async () => {
  outside(() => new Response(null, { status: 204 }));
  expect((await directFetch(request)).body).toHaveLength(0);
});

test("gives up an answer that is too long", async () => {
  let isCancelled = false;
  const endless = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull: (controller) => controller.enqueue(new Uint8Array(6)),
    cancel: () => {
      isCancelled = true;
    },
  });
  outside(() => new Response(endless));
  await expect(directFetch(request)).rejects.toThrow("more than 10 bytes");
  expect(isCancelled).toBe(true);
});

test("gives up an answer that does not come", async () => {
  outside(
    ({ signal }) =>
      new Promise((_, reject) => signal!.addEventListener("abort", () => reject(signal!.reason as Error))),
  );
  await expect(directFetch({ ...request, timeout: 1 })).rejects.toMatchObject({ name: "TimeoutError" });
});

test.each(["http://push.example.org/x", "https://127.0.0.1/x", "https://localhost/x", "https://[::1]/x"])(
  "does not ask %s",
  async (url) => {
    const asked = outside(() => new Response());
    await expect(directFetch({ ...request, url })).rejects.toMatchObject({ name: "EgressRefused" });
    expect(asked).toEqual([]);
  },
);
