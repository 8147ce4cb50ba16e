import { expect, test, vi } from "vitest";
import type { RelayInfo } from "../../../src/link/relay-api.ts";
import { notFound } from "../../../src/matrix/errors.ts";
import { parseIpRange } from "../../../src/matrix/ip-addresses.ts";
import { openHealth } from "../../../src/relay/observe/health.ts";
import { openLog } from "../../../src/relay/observe/log.ts";
import { openMetrics } from "../../../src/relay/observe/metrics.ts";
import type { Caller } from "../../../src/relay/server/api.ts";
import { openMetricsHandler } from "../../../src/relay/server/metrics-handler.ts";
import { openPublicHandler, type PublicParts } from "../../../src/relay/server/public-handler.ts";

const peer = { address: "192.0.2.7", secure: false };
const node = "node.relay.example";

/** A relay with one node and a page; `lines` is its log. */
function relay(change: Partial<PublicParts> = {}) {
  const lines: string[] = [];
  const callers: Caller[] = [];
  const parts: PublicParts = {
    info: () => ({ name: "relay.example" }) as RelayInfo,
    health: openHealth({}, () => 0),
    link: async (request) =>
      new URL(request.url).pathname.startsWith("/_relay/v1/link") ? new Response("link") : undefined,
    ingress: async (request, caller) => {
      callers.push(caller);
      return new URL(request.url).hostname === node
        ? new Response(`node ${new URL(request.url).pathname}`)
        : undefined;
    },
    page: async () => new Response("page"),
    proxies: [],
    log: openLog(
      "debug",
      (line) => lines.push(line),
      () => 0,
    ),
    metrics: openMetrics(),
    ...change,
  };
  const handler = openPublicHandler(parts);
  const ask = async (url: string, init: RequestInit = {}) => {
    const response = await handler(new Request(url, init), peer);
    return [response.status, await response.text()] as const;
  };
  return { ask, handler, lines, callers, parts };
}

test.each([
  ["https://relay.example/_relay/v1/info", 200, '{"name":"relay.example"}'],
  ["https://relay.example/_relay/v1/health", 200, '{"status":"ok"}'],
  [`https://${node}/_relay/v1/info`, 200, '{"name":"relay.example"}'],
  ["https://relay.example/_relay/v1/link", 200, "link"],
  [`https://${node}/_matrix/key/v2/server`, 200, "node /_matrix/key/v2/server"],
  [`https://${node}/`, 200, "node /"],
  ["https://relay.example/", 200, "page"],
])("%s", async (url, status, text) => expect(await relay().ask(url)).toEqual([status, text]));

test("under the relay's own path nothing is passed on", async () => {
  const { ask, callers } = relay();
  expect((await ask(`https://${node}/_relay/v1/else`))[0]).toBe(404);
  expect((await ask("https://relay.example/_relay/v1/info", { method: "POST" }))[0]).toBe(405);
  expect(callers).toEqual([]);
});

test.each<[what: string, request: () => Request]>([
  ["another Host than the URL's", () => new Request("https://relay.example/", { headers: { host: node } })],
  ["a Host that is none", () => new Request("https://relay.example/", { headers: { host: "a b" } })],
  [
    "a name and a password",
    () =>
      Object.defineProperty(new Request("https://relay.example/"), "url", { value: `https://a:b@${node}/` }),
  ],
  [
    "CONNECT",
    () => Object.defineProperty(new Request("https://relay.example/"), "method", { value: "CONNECT" }),
  ],
  [
    "no URL",
    () => Object.defineProperty(new Request("https://relay.example/"), "url", { value: "http://h:x/" }),
  ],
])("a request with %s is not answered", async (_, request) => {
  const { handler, callers } = relay();
  const response = await handler(request(), peer);
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({ errcode: "M_UNKNOWN" });
  expect(callers).toEqual([]);
});

test("what a part throws is answered, told to the log, and to nobody else", async () => {
  const failing = relay({ ingress: () => Promise.reject(new Error("at /secret/place")) });
  const [status, text] = await failing.ask("https://relay.example/");
  expect(status).toBe(500);
  expect(text).not.toContain("secret");
  expect(failing.lines.join()).toContain("at /secret/place");
  const refusing = relay({ ingress: () => Promise.reject(notFound("no such room")) });
  expect(await refusing.ask("https://relay.example/")).toEqual([
    404,
    expect.stringContaining("no such room"),
  ]);
});

test("the log has no query, and no more of a path than its beginning", async () => {
  const { ask, lines } = relay();
  await ask(`https://${node}/_matrix/federation/v1/user/@alice:a?access_token=hidden`);
  expect(lines).toHaveLength(1);
  expect(JSON.parse(lines[0] ?? "")).toMatchObject({
    event: "answered",
    path: "/_matrix/federation/v1/user",
    part: "ingress",
  });
  expect(lines[0]).not.toMatch(/alice|hidden/);
});

test.each<[given: string | undefined, proxies: string[], address: string]>([
  [undefined, [], "192.0.2.7"],
  ["1.1.1.1", [], "192.0.2.7"],
  ["1.1.1.1", ["192.0.2.7"], "1.1.1.1"],
  ["9.9.9.9, 1.1.1.1", ["192.0.2.7"], "1.1.1.1"],
  ["9.9.9.9, 1.1.1.1, 10.0.0.5", ["192.0.2.0/24", "10.0.0.0/8"], "1.1.1.1"],
  ["10.0.0.5", ["192.0.2.0/24", "10.0.0.0/8"], "192.0.2.7"],
  ["made up\u00e9", ["192.0.2.7"], "192.0.2.7"],
])("X-Forwarded-For %j with proxies %j: %s", async (given, proxies, address) => {
  const { handler, callers } = relay({ proxies: proxies.flatMap((text) => parseIpRange(text) ?? []) });
  const headers = { "x-forwarded-proto": "https", ...(given !== undefined && { "x-forwarded-for": given }) };
  await handler(new Request("http://relay.example/", { headers }), peer);
  expect(callers[0]).toMatchObject({ address, secure: proxies.length > 0 });
});

test("health says what is wrong, soon, and not again for each who asks", async () => {
  let [time, asked, problem] = [0, 0, undefined as string | undefined];
  const checks = {
    storage: () => {
      asked += 1;
      return problem;
    },
    broken: () => (problem === undefined ? undefined : Promise.reject(new Error("/secret/place"))),
  };
  const health = openHealth(checks, () => time);
  expect((await health()).status).toBe(200);
  problem = "disk full";
  expect((await health()).status).toBe(200);
  time = 1000;
  const response = await health();
  expect([response.status, await response.json()]).toEqual([
    503,
    { status: "failing", reasons: { storage: "disk full", broken: "fails" } },
  ]);
  expect(asked).toBe(2);
});

test("a check that hangs is a failure", async () => {
  vi.useFakeTimers();
  try {
    const answer = openHealth({ cluster: () => new Promise(() => undefined) }, () => 0)();
    await vi.advanceTimersByTimeAsync(2_000);
    expect(await (await answer).json()).toMatchObject({ reasons: { cluster: "does not answer" } });
  } finally {
    vi.useRealTimers();
  }
});

test("an answer that nobody reads on is given up, with what it comes from; one that is read is whole", async () => {
  vi.useFakeTimers();
  try {
    let cancelled = false;
    const endless = () =>
      new ReadableStream<Uint8Array<ArrayBuffer>>({
        pull: (controller) => controller.enqueue(new Uint8Array(10)),
        cancel: () => {
          cancelled = true;
        },
      });
    const { handler } = relay({ ingress: async () => new Response(endless()) });
    const reader = (await handler(new Request(`https://${node}/`), peer)).body?.getReader();
    for (let round = 0; round < 5; round += 1) {
      await reader?.read();
      await vi.advanceTimersByTimeAsync(59_000);
    }
    expect(cancelled).toBe(false);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(cancelled).toBe(true);
    await expect(reader?.read()).rejects.toThrow("nobody has read");
  } finally {
    vi.useRealTimers();
  }
  const whole = relay({ ingress: async () => new Response(new Blob(["a".repeat(1e6)]).stream()) });
  expect((await whole.ask(`https://${node}/`))[1]).toHaveLength(1e6);
});

test("secrets that somebody logs do not get out, and long texts are cut", () => {
  const lines: string[] = [];
  const log = openLog(
    "info",
    (line) => lines.push(line),
    () => 0,
  ).with({ node: "a" });
  log.info("asked", {
    accessToken: "abc",
    authorization: "abc",
    vapidPrivate: "abc",
    text: "x".repeat(5000),
  });
  log.debug("unseen");
  expect(lines).toHaveLength(1);
  expect(lines[0]).not.toContain("abc");
  expect(lines[0]?.length).toBeLessThan(1300);
  expect(JSON.parse(lines[0] ?? "")).toMatchObject({
    time: "1970-01-01T00:00:00.000Z",
    level: "info",
    event: "asked",
    node: "a",
  });
});

test("metrics are counted by part and status, and there is nothing else beside them", async () => {
  const { ask, parts } = relay();
  await ask("https://relay.example/");
  await ask(`https://${node}/`);
  parts.metrics.gauge("sessions", "Sessions", () => 7);
  const metrics = openMetricsHandler(parts.metrics);
  const text = await (await metrics(new Request("http://127.0.0.1/metrics"), peer)).text();
  expect(text).toContain('hearth_relay_http_seconds_count{part="page",status="2xx"} 1');
  expect(text).toContain('hearth_relay_http_seconds_count{part="ingress",status="2xx"} 1');
  expect(text).toContain("hearth_relay_sessions 7");
  expect((await metrics(new Request("http://127.0.0.1/"), peer)).status).toBe(404);
});
