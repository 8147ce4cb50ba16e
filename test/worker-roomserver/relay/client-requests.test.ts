import { expect, test } from "vitest";
import { MatrixError } from "../../../src/matrix/errors.ts";
import {
  RELAY_MARK,
  RELAY_UNLIMITED,
  RELAYED_BASE,
  RELAYED_STATUS,
} from "../../../src/worker-roomserver/relay/api.ts";
import { clientRequests } from "../../../src/worker-roomserver/relay/client-requests.ts";
import { stream } from "./support/fake-relay.ts";

type Fetched = { url: string; init: RequestInit; headers: Headers };

function answering(answer: (fetched: Fetched) => Response | Promise<Response>, isLimited = true) {
  const fetched: Fetched[] = [];
  const handler = clientRequests({
    origin: "https://page.example",
    ...{ mark: "the mark", scheme: "https:", isLimited: () => isLimited },
    fetch: async (url, init) => {
      const each = { url, init, headers: new Headers(init.headers) };
      fetched.push(each);
      return answer(each);
    },
  });
  return { handler, fetched };
}

const served = (status: number, body: BodyInit | null = "{}", headers: HeadersInit = {}) =>
  new Response(body, { headers: { ...headers, [RELAYED_STATUS]: String(status) } });
const host = ["host", "node.relay.example"] as const;
const unaborted = () => new AbortController().signal;

test("a request is asked of the page's own origin, as nobody but a relay's", async () => {
  const { handler, fetched } = answering(() => served(200));
  const headers = [
    host,
    ["authorization", "Bearer t"],
    ["x-forwarded-for", "192.0.2.7"],
    ["x-hearth-request", "a-name"],
    ["x-hearth-relay", "forged"],
    ["x-hearth-status", "200"],
    ["x-hearth-base", "https://forged.example"],
    ["x-hearth-unlimited", "forged"],
  ] as const;
  await handler({ method: "GET", target: "/_matrix/client/v3/sync?since=a", headers }, unaborted());
  const [{ url, init, headers: sent }] = fetched as [Fetched];
  expect(url).toBe("https://page.example/_matrix/client/v3/sync?since=a");
  expect(init).toMatchObject({ method: "GET", credentials: "omit", redirect: "error" });
  expect(Object.fromEntries(sent)).toEqual({
    authorization: "Bearer t",
    "x-forwarded-for": "192.0.2.7",
    "x-hearth-request": "a-name",
    [RELAY_MARK]: "the mark",
    [RELAYED_BASE]: "https://node.relay.example",
  });
});

test("where the owner has set no limits, its sender is not limited", async () => {
  const { handler, fetched } = answering(() => served(200), false);
  await handler(
    { method: "GET", target: "/_matrix/client/x", headers: [["host", "node.example"]] },
    unaborted(),
  );
  expect(fetched[0]?.headers.has(RELAY_UNLIMITED)).toBe(true);
});

test("an answer comes with the status that it really has, redirects too, and piece by piece", async () => {
  let push: (text: string) => void = () => undefined;
  const body = new ReadableStream({
    start: (controller) => {
      push = (text) => controller.enqueue(new TextEncoder().encode(text));
    },
  });
  const { handler } = answering(() => served(302, body, { Location: "https://elsewhere.example" }));
  const answer = await handler({ method: "GET", target: "/_matrix/client/x", headers: [host] }, unaborted());
  expect(answer.status).toBe(302);
  expect(Object.fromEntries(answer.headers.map(([name, value]) => [name, value]))).toEqual({
    location: "https://elsewhere.example",
  });
  const reader = answer.body!.getReader();
  push("one");
  expect(new TextDecoder().decode((await reader.read()).value)).toBe("one");
});

test("what did not go through the service worker is no answer", async () => {
  let isCancelled = false;
  const body = new ReadableStream({
    cancel: () => {
      isCancelled = true;
    },
  });
  const { handler } = answering(() => new Response(body));
  const answer = handler({ method: "GET", target: "/_matrix/client/x", headers: [host] }, unaborted());
  await expect(answer).rejects.toEqual(expect.objectContaining({ status: 503 }));
  await expect(answer).rejects.toBeInstanceOf(MatrixError);
  expect(isCancelled).toBe(true);
});

test("a body goes along as it comes", async () => {
  const { handler, fetched } = answering(async ({ init }) =>
    served(200, await new Response(init.body).text()),
  );
  const answer = await handler(
    { method: "POST", target: "/_matrix/media/v3/upload", headers: [host], body: stream("bytes") },
    unaborted(),
  );
  expect(fetched[0]!.init.body).toBeInstanceOf(ReadableStream);
  expect(await new Response(answer.body as BodyInit).text()).toBe("bytes");
});

test("who gives up is followed", async () => {
  const end = new AbortController();
  const { handler } = answering(
    ({ init }) =>
      new Promise((_, reject) => {
        init.signal?.addEventListener("abort", () => reject(new DOMException("gone", "AbortError")));
        end.abort();
      }),
  );
  const answer = handler({ method: "GET", target: "/_matrix/client/x", headers: [host] }, end.signal);
  await expect(answer).rejects.toMatchObject({ name: "AbortError" });
});

test.each([[[]], [[["host", "no host"] as const]]])(
  "one that names no host is refused: %j",
  async (headers) => {
    const { handler, fetched } = answering(() => served(200));
    const asked = handler({ method: "GET", target: "/_matrix/client/versions", headers }, unaborted());
    await expect(asked).rejects.toThrow("which host");
    expect(fetched).toEqual([]);
  },
);
