import { beforeAll, expect, test, vi } from "vitest";
import { parseIpRange } from "../../../src/matrix/ip-addresses.ts";
import { addressGuard, type Resolve } from "../../../src/relay/egress/addresses.ts";
import { type Hop, openClient } from "../../../src/relay/egress/client.ts";
import type { EgressFailure } from "../../../src/relay/egress/failure.ts";
import { askFollowing } from "../../../src/relay/egress/redirects.ts";
import { startWatch } from "../../../src/relay/egress/watch.ts";
import { atTheEnd } from "../support/at-the-end.ts";
import { type Authority, makeAuthority } from "../support/authority.ts";
import { serveRaw, serveTls } from "../support/servers.ts";

let authority: Authority;
beforeAll(async () => {
  authority = await makeAuthority();
});

const loopback = parseIpRange("127.0.0.0/8");
const here: Resolve = async () => [{ address: "127.0.0.1", family: 4 }];

function client(resolve: Resolve = here, opened = [loopback]) {
  const ranges = opened.flatMap((range) => range ?? []);
  const made = openClient({ resolve, guard: addressGuard(ranges), authorities: [authority.pem] });
  atTheEnd(made.close);
  return made.ask;
}

const watch = (times: { total?: number; silence?: number } = {}, signal = new AbortController().signal) =>
  startWatch({ total: 20_000, silence: 10_000, ...times }, signal);

const hop = (port: number, change: Partial<Hop> = {}): Hop => ({
  secure: false,
  host: "server.example",
  port,
  certificateFor: "server.example",
  authority: "server.example",
  method: "GET",
  path: "/",
  headers: [],
  body: { kind: "none" },
  ...change,
});

const failureOf = (asked: Promise<unknown>) =>
  asked.then(
    () => "no failure",
    (error: EgressFailure) => error.kind,
  );

const text = (body: ReadableStream<Uint8Array>) =>
  new Response(body as ReadableStream<Uint8Array<ArrayBuffer>>).text();

/** Says this to each request, whole, and leaves the connection open. */
const saying = (answer: string) => serveRaw((socket) => socket.on("data", () => socket.write(answer)));

test("the certificate is held to the name that was asked for, and the Host header is its own", async () => {
  const port = serveTls(
    await authority.issue("delegated.example"),
    (request) => new Response(request.headers.get("host")),
  );
  const place = { secure: true, host: "srv-target.example", authority: "delegated.example" };
  const good = await client()(hop(port, { ...place, certificateFor: "delegated.example" }), 1000, watch());
  expect(await text(good.body)).toBe("delegated.example");
  expect(
    await failureOf(client()(hop(port, { ...place, certificateFor: "other.example" }), 1000, watch())),
  ).toBe("unreachable");
});

test("an address as the name needs a certificate for the address", async () => {
  const port = serveTls(await authority.issue("127.0.0.1"), () => new Response("yes"));
  const other = serveTls(await authority.issue("localhost"), () => new Response("no"));
  const place = { secure: true, host: "127.0.0.1", certificateFor: "127.0.0.1" };
  expect(await text((await client()(hop(port, place), 1000, watch())).body)).toBe("yes");
  expect(await failureOf(client()(hop(other, place), 1000, watch()))).toBe("unreachable");
});

test.each([
  "127.0.0.1",
  "::ffff:127.0.0.1",
  "::1",
  "10.0.0.1",
  "169.254.169.254",
  "64:ff9b::7f00:1",
  "2002:7f00:1::",
  "fe80::1",
  "0.0.0.0",
  "::",
])("no connection goes to %s, by name or as it is", async (address) => {
  let connections = 0;
  const { port } = await serveRaw(() => {
    connections += 1;
  });
  const resolve: Resolve = async () => [{ address, family: address.includes(":") ? 6 : 4 }];
  expect(await failureOf(client(resolve, [])(hop(port), 1000, watch()))).toBe("refused");
  expect(await failureOf(client(resolve, [])(hop(port, { host: address }), 1000, watch()))).toBe("refused");
  expect(connections).toBe(0);
});

test("of a name with good and bad addresses only the good ones are connected to", async () => {
  const { port } = await saying("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
  const resolve: Resolve = async () => [
    { address: "10.0.0.1", family: 4 },
    { address: "127.0.0.1", family: 4 },
  ];
  expect(await text((await client(resolve)(hop(port), 1000, watch())).body)).toBe("ok");
});

test("a name that resolves to something else the second time gains nothing", async () => {
  const { port } = await saying("HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
  const answers = ["127.0.0.1", "127.0.0.99"];
  const resolve: Resolve = async () => [{ address: answers.shift() ?? "127.0.0.99", family: 4 }];
  const ask = client(resolve, [parseIpRange("127.0.0.1")]);
  await (await ask(hop(port), 1000, watch())).body.cancel();
  expect(await failureOf(ask(hop(port), 1000, watch()))).toBe("refused");
  // Each connection asked once, and went to what came out.
  expect(answers).toEqual([]);
});

test("a redirect to a private address is refused, and one to http as well", async () => {
  const credentials = await authority.issue("server.example");
  let asked = 0;
  const port = serveTls(credentials, (request) => {
    asked += 1;
    const to =
      new URL(request.url).pathname === "/http" ? "http://server.example/" : "https://internal.example/";
    return new Response(null, { status: 302, headers: { location: to } });
  });
  const resolve: Resolve = async (host) => [
    { address: host === "internal.example" ? "10.0.0.1" : "127.0.0.1", family: 4 },
  ];
  const ask = client(resolve, [parseIpRange("127.0.0.1")]);
  const limits = { answerBytes: 1000, redirects: 5 };
  expect(await failureOf(askFollowing(ask, hop(port, { secure: true }), limits, watch()))).toBe("refused");
  const toHttp = hop(port, { secure: true, path: "/http" });
  expect(await failureOf(askFollowing(ask, toHttp, limits, watch()))).toBe("refused");
  expect(asked).toBe(2);
});

test("redirects are followed as often as may be, without what proves who asks when the server changes", async () => {
  const seen: (string | null)[] = [];
  const credentials = await authority.issue("server.example", "other.example");
  const port: number = serveTls(credentials, (request) => {
    const url = new URL(request.url);
    seen.push(`${url.hostname}${url.pathname} ${request.headers.get("authorization")}`);
    const next: { [path: string]: string } = {
      "/1": "/2",
      "/2": `https://other.example:${port}/3`,
      "/3": "/4",
    };
    const location = next[url.pathname];
    return location === undefined
      ? new Response("end")
      : new Response("moved", { status: 307, headers: { location } });
  });
  const first = hop(port, { secure: true, path: "/1", headers: [["authorization", "secret"]] });
  const there = await askFollowing(client(), first, { answerBytes: 1000, redirects: 3 }, watch());
  expect(await text(there.answer.body)).toBe("end");
  expect(there.location).toBe(`https://other.example:${port}/4`);
  expect(seen).toEqual([
    "server.example/1 secret",
    "server.example/2 secret",
    "other.example/3 null",
    "other.example/4 null",
  ]);
  const short = await askFollowing(client(), first, { answerBytes: 1000, redirects: 1 }, watch());
  expect(short.answer.status).toBe(307);
  await short.answer.body.cancel();
});

test.each([
  ["with a length", "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\npart"],
  ["in chunks", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\npart\r\n"],
])("an answer %s that is broken off does not end well", async (_, answer) => {
  const { port } = await serveRaw((socket) => socket.on("data", () => socket.end(answer)));
  const { body } = await client()(hop(port), 1000, watch());
  expect(await failureOf(text(body))).toBe("broken");
});

test("no answer at all is none", async () => {
  const { port } = await serveRaw((socket) => socket.on("data", () => socket.destroy()));
  expect(await failureOf(client()(hop(port), 1000, watch()))).toBe("broken");
});

test("a large answer is refused by its length before anything of it is taken", async () => {
  const { port } = await saying("HTTP/1.1 200 OK\r\ncontent-length: 1001\r\n\r\n");
  expect(await failureOf(client()(hop(port), 1000, watch()))).toBe("broken");
});

test("a never-ending answer is broken off at the limit, and its connection closed", async () => {
  const piece = `400\r\n${"x".repeat(1024)}\r\n`;
  const { port, sockets } = await serveRaw((socket) =>
    socket.on("data", () => {
      socket.write(`HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${piece}`);
      const more = () => {
        while (!socket.destroyed && socket.write(piece));
      };
      socket.on("drain", more);
      more();
    }),
  );
  const { body } = await client()(hop(port), 100_000, watch());
  expect(await failureOf(text(body))).toBe("broken");
  await vi.waitFor(() => expect(sockets[0]?.destroyed).toBe(true));
});

test("a head that never ends is not kept", async () => {
  const { port } = await serveRaw((socket) =>
    socket.on("data", () => {
      socket.write("HTTP/1.1 200 OK\r\n");
      const more = () => {
        while (!socket.destroyed && socket.write(`x-more: ${"y".repeat(1000)}\r\n`));
      };
      socket.on("drain", more);
      more();
    }),
  );
  expect(await failureOf(client()(hop(port), 1000, watch()))).toBe("broken");
});

test("silence ends it: before the head, and in the middle of the body", async () => {
  const silent = await serveRaw(() => undefined);
  expect(await failureOf(client()(hop(silent.port), 1000, watch({ silence: 50 })))).toBe("timeout");
  const { port } = await saying("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\npart");
  const { body } = await client()(hop(port), 1000, watch({ silence: 200 }));
  expect(await failureOf(text(body))).toBe("timeout");
});

test("a drip of bytes ends when the time for all of it is over", async () => {
  const { port } = await serveRaw((socket) =>
    socket.on("data", () => {
      socket.write("HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n");
      const drip = setInterval(() => socket.write("x"), 5);
      socket.on("close", () => clearInterval(drip));
    }),
  );
  const { body } = await client()(hop(port), 2_000_000, watch({ total: 300, silence: 200 }));
  expect(await failureOf(text(body))).toBe("timeout");
});

test("what is not taken stays with the other server, and cancelling closes its connection", async () => {
  let written = 0;
  const { port, sockets } = await serveRaw((socket) =>
    socket.on("data", () => {
      socket.write("HTTP/1.1 200 OK\r\ncontent-length: 400000000\r\n\r\n");
      const piece = "x".repeat(65_536);
      const more = () => {
        do written += piece.length;
        while (!socket.destroyed && written < 400_000_000 && socket.write(piece));
      };
      socket.on("drain", more);
      more();
    }),
  );
  const { body, ended } = await client()(hop(port), 1e9, watch());
  const reader = body.getReader();
  await reader.read();
  // Written until the buffers on the way are full: as soon as the writer stands still twice in a row.
  let before = -1;
  await vi.waitFor(
    () => {
      const still = written === before;
      before = written;
      expect(still).toBe(true);
    },
    { interval: 200, timeout: 10_000 },
  );
  expect(written).toBeLessThan(40_000_000);
  await reader.cancel();
  await ended;
  await vi.waitFor(() => expect(sockets[0]?.destroyed).toBe(true));
});

test("a connection is kept for the next request, and one that was closed meanwhile does no harm", async () => {
  let closing = false;
  const { port, sockets } = await serveRaw((socket) =>
    socket.on("data", () => {
      // The next request finds the kept connection, and loses it.
      if (closing && socket === sockets[0]) socket.destroy();
      else socket.write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
    }),
  );
  const ask = client();
  const once = async (change: Partial<Hop> = {}) => text((await ask(hop(port, change), 1000, watch())).body);
  expect([await once(), await once()]).toEqual(["ok", "ok"]);
  expect(sockets).toHaveLength(1);
  closing = true;
  const body = { kind: "bytes", bytes: new TextEncoder().encode("{}") } as const;
  expect(await once({ method: "PUT", body })).toBe("ok");
  expect(sockets).toHaveLength(2);
});

test("what may not be done twice is not sent again over a second connection", async () => {
  let closing = false;
  const { port, sockets } = await serveRaw((socket) =>
    socket.on("data", () => {
      if (closing) socket.destroy();
      else socket.write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
    }),
  );
  const ask = client();
  await text((await ask(hop(port), 1000, watch())).body);
  closing = true;
  const body = { kind: "bytes", bytes: new TextEncoder().encode("{}") } as const;
  expect(await failureOf(ask(hop(port, { method: "POST", body }), 1000, watch()))).toBe("broken");
  expect(sockets).toHaveLength(1);
});

test("nobody listens: the failure says so, and names no address", async () => {
  const { port, sockets } = await saying("");
  expect(sockets).toEqual([]);
  const closed = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const free = (closed.addr as Deno.NetAddr).port;
  closed.close();
  expect(free).not.toBe(port);
  const error: EgressFailure = await client()(hop(free), 1000, watch()).then(
    () => expect.fail("connected"),
    (failure: EgressFailure) => failure,
  );
  expect(error.kind).toBe("unreachable");
  expect(error.message).not.toContain("127.0.0.1");
});

test("given up by the node, the exchange ends at once", async () => {
  const { port, sockets } = await serveRaw((socket) => socket.resume());
  const stop = new AbortController();
  const asked = failureOf(client()(hop(port), 1000, watch({}, stop.signal)));
  await vi.waitFor(() => expect(sockets).toHaveLength(1));
  stop.abort();
  expect(await asked).toBe("broken");
  await vi.waitFor(() => expect(sockets[0]?.destroyed).toBe(true));
});
