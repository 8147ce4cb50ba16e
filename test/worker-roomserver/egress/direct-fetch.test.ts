import { afterEach, expect, test, vi } from "vitest";
import {
  type EgressAnswer,
  type EgressRequest,
  type EgressTarget,
  isFailure,
} from "../../../src/worker-roomserver/egress/api.ts";
import { beginningOf, bytesOf } from "../../../src/worker-roomserver/egress/body.ts";
import { directFetch } from "../../../src/worker-roomserver/egress/direct-fetch.ts";

afterEach(() => void vi.unstubAllGlobals());

const gateway: EgressTarget = { kind: "push", url: "https://push.example.org/x" };
const page: EgressTarget = { kind: "preview", url: "http://cats.example/" };
const request: EgressRequest = {
  method: "POST",
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

async function answered(target = gateway, change: Partial<EgressRequest> = {}): Promise<EgressAnswer> {
  const answer = await directFetch.fetch(target, { ...request, ...change });
  if (isFailure(answer)) throw new Error(answer.why);
  return answer;
}

/** A body without an end, six bytes at a time. */
function endless() {
  const seen = { pulls: 0, isCancelled: false };
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull: (controller) => {
      seen.pulls += 1;
      controller.enqueue(new Uint8Array(6));
    },
    cancel: () => {
      seen.isCancelled = true;
    },
  });
  return { seen, body };
}

test("sends what it is told to and nothing of the browser's, and hands back what came", async () => {
  const asked = outside(() => new Response("0123456789", { status: 418, headers: { "X-A": "b" } }));
  const answer = await answered();
  expect(answer).toMatchObject({ status: 418, headers: { "x-a": "b" }, url: gateway.url });
  expect(await bytesOf(answer)).toEqual(new TextEncoder().encode("0123456789"));
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
  expect(await bytesOf(await answered())).toHaveLength(0);
});

test("gives up an answer that is too long", async () => {
  const { seen, body } = endless();
  outside(() => new Response(body));
  expect(await bytesOf(await answered())).toMatchObject({ failure: "tooLarge" });
  expect(seen.isCancelled).toBe(true);
});

test("fetches no more of an answer than is read", async () => {
  const { seen, body } = endless();
  outside(() => new Response(body));
  const answer = await answered(gateway, { maxBytes: 1_000 });
  expect(await beginningOf(answer, 20)).toHaveLength(20);
  expect(seen.isCancelled).toBe(true);
  expect(seen.pulls).toBeLessThan(7);
});

test("gives up an answer that does not come, or does not end", async () => {
  const never = ({ signal }: RequestInit) =>
    new Promise<never>((_, reject) =>
      signal!.addEventListener("abort", () => reject(signal!.reason as Error)),
    );
  outside(never);
  expect(await directFetch.fetch(gateway, { ...request, timeout: 1 })).toMatchObject({ failure: "timeout" });
  outside((init) => new Response(new ReadableStream({ pull: () => never(init) })));
  expect(await bytesOf(await answered(gateway, { timeout: 1 }))).toMatchObject({ failure: "timeout" });
});

test("says that there is no way to a server, also when the way ends", async () => {
  outside(() => Promise.reject(new TypeError("Failed to fetch")));
  expect(await directFetch.fetch(gateway, request)).toMatchObject({ failure: "unreachable" });
  outside(() => new Response(new ReadableStream({ pull: () => Promise.reject(new TypeError("lost")) })));
  expect(await bytesOf(await answered())).toMatchObject({ failure: "unreachable" });
});

test("asks nobody for what may not be asked", async () => {
  const asked = outside(() => new Response());
  const target = { ...gateway, url: "https://127.0.0.1/x" };
  expect(await directFetch.fetch(target, request)).toMatchObject({ failure: "refused" });
  expect(asked).toEqual([]);
});

test("follows a page to where it has moved, but not into a network of its own", async () => {
  const { seen, body } = endless();
  const moved = (url: string, to: BodyInit = "home") =>
    Object.defineProperty(new Response(to), "url", { value: url });
  const asked = outside(() => moved("https://cats.example/home"));
  expect((await answered(page)).url).toBe("https://cats.example/home");
  expect(asked).toMatchObject([[page.url, { redirect: "follow" }]]);
  outside(() => moved("http://192.168.0.1/", body));
  expect(await directFetch.fetch(page, request)).toMatchObject({ failure: "refused" });
  expect(seen.isCancelled).toBe(true);
});
