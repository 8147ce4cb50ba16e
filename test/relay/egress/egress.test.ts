import { expect, test, vi } from "vitest";
import type { LinkRequest, LinkResponse } from "../../../src/link/api.ts";
import { openAdmission } from "../../../src/relay/egress/admission.ts";
import type { Purpose } from "../../../src/relay/egress/api.ts";
import type { AskHop, Hop } from "../../../src/relay/egress/client.ts";
import { type EgressParts, openEgress } from "../../../src/relay/egress/egress.ts";
import { NotConnected } from "../../../src/relay/egress/exchange.ts";
import { EgressFailure } from "../../../src/relay/egress/failure.ts";

const limits = { perMinute: 600, burst: 100, perOwner: 64, perTarget: 100, total: 1000 };
const signal = new AbortController().signal;

/** An egress whose network is `ask`; `hops` has what went out. */
function egress(
  change: Partial<EgressParts> = {},
  answer: (hop: Hop) => Response = () => new Response("ok"),
) {
  const hops: Hop[] = [];
  const ask: AskHop = async (hop, _bytes, watch) => {
    hops.push(hop);
    if (hop.body.kind === "stream")
      await new Response(hop.body.stream as ReadableStream<Uint8Array<ArrayBuffer>>).arrayBuffer();
    if (watch.signal.aborted) throw watch.signal.reason;
    const response = answer(hop);
    const body = response.body ?? new Blob([]).stream();
    return { status: response.status, headers: [...response.headers], body, ended: Promise.resolve() };
  };
  const carry = openEgress({
    ask,
    discover: async (name) => [{ host: name, port: 8448, authority: name, certificateFor: name }],
    admission: openAdmission(limits, () => 0),
    local: async () => undefined,
    plainHttp: false,
    observe: () => undefined,
    report: (error) => expect.fail(String(error)),
    ...change,
  });
  const send = (purpose: Purpose, target: string, more: Partial<LinkRequest> = {}) =>
    carry("node.example", purpose, { method: "GET", target, headers: [], ...more }, signal);
  return { hops, carry, send };
}

const verdict = ({ status, headers }: LinkResponse) => [
  status,
  headers.find(([name]) => name === "x-hearth-egress")?.[1],
];
const json = ({ body }: LinkResponse) => new Response(body as ReadableStream<Uint8Array<ArrayBuffer>>).json();
const streamed = (...pieces: string[]) =>
  new ReadableStream<Uint8Array>({
    start(controller) {
      for (const piece of pieces) controller.enqueue(new TextEncoder().encode(piece));
      controller.close();
    },
  });

test.each<[Purpose, method: string, target: string]>([
  ["federation", "PUT", "matrix://other.example/_matrix/federation/v1/send/1"],
  ["federation", "GET", "matrix://[2001:db8::1]:8448/_matrix/key/v2/server?x=%2F..%2F"],
  ["push", "POST", "https://push.example/_matrix/push/v1/notify"],
  ["app-service", "PUT", "https://bridge.example:9000/base/_matrix/app/v1/transactions/1"],
  ["app-service", "GET", "https://bridge.example/users/%40a%3Ab"],
  ["preview", "GET", "https://news.example/a?b=c"],
  ["media", "GET", "matrix://other.example/_matrix/federation/v1/media/download/x"],
  ["media", "GET", "https://cdn.example/file"],
])("%s may %s %s", async (purpose, method, target) => {
  const { send, hops } = egress();
  expect(verdict(await send(purpose, target, { method }))).toEqual([200, undefined]);
  // Byte for byte: a signature is over it.
  expect(`${target.split("/").slice(0, 3).join("/")}${hops[0]?.path}`).toBe(target);
});

test.each<[Purpose, method: string, target: string]>([
  ["federation", "GET", "https://other.example/_matrix/federation/v1/version"],
  ["federation", "GET", "matrix://other.example/_matrix/client/v3/sync"],
  ["federation", "GET", "matrix://other.example/_synapse/admin/v1/users"],
  ["federation", "DELETE", "matrix://other.example/_matrix/federation/v1/x"],
  ["federation", "CONNECT", "matrix://other.example/_matrix/federation/v1/x"],
  ["federation", "GET", "matrix://other.example/_matrix/federation/../client/v3/sync"],
  ["federation", "GET", "matrix://other.example/_matrix/federation/%2E%2e/client/v3/sync"],
  ["federation", "GET", "matrix://other.example/_matrix/federation/.%2e"],
  ["federation", "GET", "matrix://other.example/_matrix/federation/..\\client"],
  ["federation", "GET", "matrix://user@other.example/_matrix/federation/v1/version"],
  ["federation", "GET", "matrix://other.example?/_matrix/federation/v1/version"],
  ["federation", "GET", "matrix://[fe80::1%25eth0]/_matrix/federation/v1/version"],
  ["federation", "GET", "/_matrix/federation/v1/version"],
  ["federation", "GET", "matrix://other.example/_matrix/federation/v1/version HTTP/1.1\r\nhost: x\r\n\r\n"],
  ["federation", "GET", "matrix://other.example/_matrix/federation/v1/\u010A"],
  ["federation", "GET", `matrix://other.example/_matrix/federation/v1/${"x".repeat(20_000)}`],
  ["push", "POST", "https://push.example/_matrix/push/v1/notify/../../x"],
  ["push", "POST", "https://push.example/anything"],
  ["push", "GET", "https://push.example/_matrix/push/v1/notify"],
  ["push", "POST", "http://push.example/_matrix/push/v1/notify"],
  ["app-service", "GET", "https://bridge.example/admin"],
  ["app-service", "GET", "http://bridge.example/_matrix/app/v1/users/a"],
  ["preview", "POST", "https://news.example/"],
  ["preview", "GET", "http://news.example/"],
  ["preview", "GET", "https://user:password@news.example/"],
  ["preview", "GET", "file:///etc/passwd"],
  ["preview", "GET", "https://"],
  ["media", "GET", "matrix://other.example/_matrix/federation/v1/state/x"],
])("%s may not %s %s", async (purpose, method, target) => {
  const { send, hops } = egress();
  const answer = await send(purpose, target, { method });
  expect(verdict(answer)).toEqual([403, "refused"]);
  expect(await json(answer)).toMatchObject({ errcode: "M_FORBIDDEN" });
  expect(hops).toEqual([]);
});

test("an address in odd spelling is the address that it is", async () => {
  const { send, hops } = egress();
  for (const host of ["127.1", "2130706433", "0x7f000001", "[::ffff:127.0.0.1]"])
    await send("preview", `https://${host}/`);
  expect(hops.map(({ host }) => host)).toEqual(["127.0.0.1", "127.0.0.1", "127.0.0.1", "::ffff:7f00:1"]);
});

test("http is for app services, where the operator allows it", async () => {
  const { send, hops } = egress({ plainHttp: true });
  const answer = await send("app-service", "http://bridge.example/_matrix/app/v1/users/a");
  expect(verdict(answer)).toEqual([200, undefined]);
  expect(hops[0]).toMatchObject({ secure: false, port: 80, authority: "bridge.example" });
});

test("nothing goes along that says who asks through whom, or where a message ends", async () => {
  const { send, hops } = egress();
  const wanted = [
    ["authorization", "X-Matrix origin=a"],
    ["content-type", "application/json"],
    ["user-agent", "Hearth"],
  ] as const;
  const odd = [
    "host",
    "connection",
    "transfer-encoding",
    "te",
    "upgrade",
    "via",
    "forwarded",
    "x-forwarded-for",
    "x-real-ip",
    "cookie",
    "proxy-authorization",
    "x-hearth-purpose",
    "expect",
  ];
  const headers = [...wanted, ...odd.map((name) => [name, "x"] as const)];
  await send("federation", "matrix://other.example/_matrix/federation/v1/send/1", { method: "PUT", headers });
  expect(hops[0]?.headers).toEqual(wanted);
});

test.each([
  ["authorization", "a\r\nx-injected: 1"],
  ["authorization", "a\nb"],
  ["user-agent", "a\0b"],
  ["accept", "é"],
  ["accept", "x".repeat(20_000)],
  ["content-length", "1, 2"],
  ["content-length", "+1"],
])("the header %s: %j is refused", async (name, value) => {
  const { send, hops } = egress();
  const request = { method: "PUT", headers: [[name, value]] as const, body: streamed("x") };
  expect(
    verdict(await send("federation", "matrix://other.example/_matrix/federation/v1/send/1", request)),
  ).toEqual([403, "refused"]);
  expect(hops).toEqual([]);
});

test("an answer cannot pass for the relay's own word, nor speak to the next hop", async () => {
  const headers = {
    "x-hearth-egress": "refused",
    connection: "x-odd",
    "x-odd": "1",
    "keep-alive": "1",
    etag: "e",
  };
  const { send } = egress({}, () => new Response("", { status: 429, headers }));
  // Filtered where raw headers are read; see answerHeaders.
  const { answerHeaders } = await import("../../../src/relay/egress/headers.ts");
  expect(answerHeaders(Object.entries(headers).flat())).toEqual([["etag", "e"]]);
  expect((await send("preview", "https://a.example/")).status).toBe(429);
});

test.each([
  ["longer than it says", "2", ["abc"]],
  ["shorter than it says", "4", ["a", "bc"]],
  ["absent, though it has a length", "4", undefined],
])("a body that is %s is refused", async (_, length, pieces) => {
  const { send } = egress();
  const body = pieces && streamed(...pieces);
  const request = { method: "PUT", headers: [["content-length", length]] as const, body };
  const answer = await send("federation", "matrix://other.example/_matrix/federation/v1/send/1", request);
  expect(verdict(answer)).toEqual([403, "refused"]);
});

test("a body that is too large is refused: by its length at once, without one when it is", async () => {
  const { send, hops } = egress();
  const target = "https://push.example/_matrix/push/v1/notify";
  const announced = { method: "POST", headers: [["content-length", "65537"]] as const, body: streamed("x") };
  expect(verdict(await send("push", target, announced))).toEqual([403, "refused"]);
  expect(hops).toEqual([]);
  let taken = 0;
  const endless = new ReadableStream<Uint8Array>({
    pull(controller) {
      taken += 1000;
      controller.enqueue(new Uint8Array(1000));
    },
  });
  expect(verdict(await send("push", target, { method: "POST", body: endless }))).toEqual([403, "refused"]);
  expect(taken).toBeLessThan(100_000);
});

test("a small body goes to the next place where the first cannot be reached; what was sent is not sent again", async () => {
  const places = ["a", "b"].map((host) => ({ host, port: 1, authority: "x", certificateFor: "x" }));
  const failing = { failure: new NotConnected("unreachable", "no") as EgressFailure };
  const { send, hops } = egress({ discover: async () => places }, (hop) => {
    if (hop.host === "a") throw failing.failure;
    return new Response("ok");
  });
  const request = () => ({
    method: "PUT",
    headers: [["content-length", "2"]] as const,
    body: streamed("{}"),
  });
  const target = "matrix://other.example/_matrix/federation/v1/send/1";
  expect(verdict(await send("federation", target, request()))).toEqual([200, undefined]);
  expect(hops.map(({ host }) => host)).toEqual(["a", "b"]);
  failing.failure = new EgressFailure("broken", "reset");
  expect(verdict(await send("federation", target, request()))).toEqual([502, "broken"]);
  expect(hops.map(({ host }) => host)).toEqual(["a", "b", "a"]);
});

test("a name of this relay's own nodes is asked without the network", async () => {
  const seen: unknown[] = [];
  const { send, hops } = egress({
    local: async (name) =>
      name !== "friend.example"
        ? undefined
        : async ({ method, target, headers, body }) => {
            seen.push({
              method,
              target,
              headers,
              body: await new Response(body as ReadableStream<Uint8Array<ArrayBuffer>>).text(),
            });
            return { status: 200, headers: [] };
          },
  });
  const request = { method: "PUT", headers: [["x-forwarded-for", "x"]] as const, body: streamed("{}") };
  await send("federation", "matrix://friend.example/_matrix/federation/v1/send/1", request);
  expect(seen).toEqual([
    {
      method: "PUT",
      target: "/_matrix/federation/v1/send/1",
      headers: [["host", "friend.example"]],
      body: "{}",
    },
  ]);
  expect(hops).toEqual([]);
});

test("a node that asks too much is told when to come back, and others are not disturbed", async () => {
  let time = 0;
  const admission = openAdmission({ ...limits, perMinute: 60, burst: 2 }, () => time);
  const { carry } = egress({ admission });
  const request = { method: "GET", target: "https://a.example/", headers: [] };
  const from = (owner: string) => carry(owner, "preview", request, signal);
  await from("greedy");
  await from("greedy");
  const answer = await from("greedy");
  expect(verdict(answer)).toEqual([429, "limited"]);
  expect(answer.headers).toContainEqual(["retry-after", "1"]);
  expect(await json(answer)).toMatchObject({ errcode: "M_LIMIT_EXCEEDED", retry_after_ms: 1000 });
  expect((await from("modest")).status).toBe(200);
  time = 1000;
  expect((await from("greedy")).status).toBe(200);
});

test("requests under way are bounded by node, by target and in all, and each place is given back once", () => {
  const admission = openAdmission(
    { perMinute: 1e6, burst: 1e6, perOwner: 3, perTarget: 4, total: 6 },
    () => 0,
  );
  const full = (owner: string, target: string) =>
    expect(() => admission.enter(owner, target)).toThrow(EgressFailure);
  const first = admission.enter("a", "x");
  admission.enter("a", "x");
  full("a", "x"); // half of the target
  admission.enter("a", "y");
  full("a", "z"); // all of the owner
  admission.enter("b", "x");
  admission.enter("c", "x");
  full("d", "x"); // all of the target
  admission.enter("d", "y");
  full("e", "e"); // all
  first();
  first();
  admission.enter("e", "e");
  full("f", "f");
});

test("a body that the node never sends does not hold its place for ever", async () => {
  vi.useFakeTimers();
  try {
    const { send } = egress();
    const never = new ReadableStream<Uint8Array>({ start: () => undefined });
    const request = { method: "POST", headers: [["content-length", "5"]] as const, body: never };
    const answer = send("push", "https://push.example/_matrix/push/v1/notify", request);
    await vi.advanceTimersByTimeAsync(30_000);
    expect(verdict(await answer)).toEqual([504, "timeout"]);
  } finally {
    vi.useRealTimers();
  }
});
