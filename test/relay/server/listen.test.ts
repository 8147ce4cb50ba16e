import { connect } from "node:net";
import { expect, test, vi } from "vitest";
import { openClient } from "../../../src/relay/egress/client.ts";
import { startWatch } from "../../../src/relay/egress/watch.ts";
import { listenHttp } from "../../../src/relay/server/listen.ts";
import type { PublicHandler } from "../../../src/relay/server/public-handler.ts";
import type { Credentials, TlsSource } from "../../../src/relay/tls/api.ts";
import { atTheEnd } from "../support/at-the-end.ts";
import { makeAuthority } from "../support/authority.ts";

const here = { host: "127.0.0.1", port: 0 };

async function listen(handler: PublicHandler, tls?: TlsSource) {
  const listening = await listenHttp("listen", here, handler, tls, (error) => expect.fail(String(error)));
  atTheEnd(() => listening.close(0));
  return listening;
}

/** What comes back for these bytes, until the server closes or has answered `answers` times. */
function exchange(port: number, bytes: string, answers: number): Promise<string[]> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(bytes));
    let text = "";
    const statuses = () => [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status ?? "");
    socket.on("data", (chunk) => {
      text += chunk;
      if (statuses().length >= answers) socket.destroy();
    });
    socket.on("error", () => socket.destroy());
    socket.on("close", () => resolve(statuses()));
  });
}

const smuggled = "GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n";

test.each<[what: string, bytes: string]>([
  [
    "length and chunks",
    `POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`,
  ],
  [
    "chunks and length",
    `POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nContent-Length: 40\r\n\r\n0\r\n\r\n${smuggled}`,
  ],
  [
    "two lengths",
    `POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab${smuggled}`,
  ],
  ["a list of lengths", `POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1, 2\r\n\r\nab${smuggled}`],
  ["a signed length", `POST / HTTP/1.1\r\nHost: h\r\nContent-Length: +1\r\n\r\na${smuggled}`],
  [
    "an encoding that is none",
    `POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${smuggled}`,
  ],
  [
    "chunks that are not last",
    `POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n${smuggled}`,
  ],
  [
    "a space before the colon",
    `POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding : chunked\r\nContent-Length: 3\r\n\r\nabc${smuggled}`,
  ],
  ["a folded header", `GET / HTTP/1.1\r\nHost: h\r\nX: a\r\n Content-Length: 9\r\n\r\n${smuggled}`],
  ["two Hosts", `GET / HTTP/1.1\r\nHost: h\r\nHost: i\r\n\r\n${smuggled}`],
])("a request with %s is refused, and what follows it is no request", async (_, bytes) => {
  const paths: string[] = [];
  const { address } = await listen(async (request) => {
    paths.push(new URL(request.url).pathname);
    await request.arrayBuffer();
    return new Response("ok");
  });
  expect(await exchange(address.port, bytes, 2)).toEqual(["400"]);
  expect(paths).not.toContain("/smuggled");
});

test("two requests on one connection are two, whether the first one's body was read or not", async () => {
  const paths: string[] = [];
  const { address } = await listen(async (request) => {
    paths.push(new URL(request.url).pathname);
    return new Response("ok");
  });
  const first = "POST /first HTTP/1.1\r\nHost: h\r\nContent-Length: 35\r\n\r\n";
  const body = "GET /body HTTP/1.1\r\nHost: h\r\n\r\n12345";
  expect(body).toHaveLength(35 + 1);
  await exchange(address.port, `${first}${body.slice(0, 35)}GET /second HTTP/1.1\r\nHost: h\r\n\r\n`, 2);
  expect(paths).not.toContain("/body");
});

test("headers without end are refused", async () => {
  const { address } = await listen(async () => new Response("ok"));
  expect(
    await exchange(address.port, `GET / HTTP/1.1\r\nHost: h\r\nX: ${"a".repeat(2_000_000)}\r\n\r\n`, 1),
  ).not.toContain("200");
});

test("a place that is taken, and one that is no place, are named with the key", async () => {
  const { address } = await listen(async () => new Response("ok"));
  const again = listenHttp(
    "federation-listen",
    address,
    async () => new Response(""),
    undefined,
    () => undefined,
  );
  await expect(again).rejects.toThrow(
    `federation-listen: port ${address.port} of 127.0.0.1 is taken by another program`,
  );
  const nowhere = listenHttp(
    "listen",
    { host: "192.0.2.1", port: 0 },
    async () => new Response(""),
    undefined,
    () => undefined,
  );
  await expect(nowhere).rejects.toThrow("listen: 192.0.2.1 is not an address of this machine");
});

test("a new certificate is shown to who comes, and requests that are under way are not disturbed", async () => {
  const [first, second] = [await makeAuthority(), await makeAuthority()];
  let credentials: Credentials = await first.issue("127.0.0.1");
  const changed = new Set<() => void>();
  const tls: TlsSource = {
    current: () => credentials,
    hashes: () => undefined,
    onChange(listener) {
      changed.add(listener);
      return () => changed.delete(listener);
    },
    close: () => undefined,
  };
  const gate = Promise.withResolvers<void>();
  let waiting = false;
  const { address } = await listen(async (request) => {
    if (new URL(request.url).pathname !== "/slow") return new Response("fast");
    waiting = true;
    await gate.promise;
    return new Response("slow");
  }, tls);
  const askWith = async (authority: { pem: string }, path: string) => {
    const client = openClient({ resolve: async () => [], guard: () => true, authorities: [authority.pem] });
    atTheEnd(client.close);
    const place = {
      secure: true,
      host: "127.0.0.1",
      port: address.port,
      certificateFor: "127.0.0.1",
      authority: "h",
    };
    const watch = startWatch({ total: 20_000, silence: 20_000 }, new AbortController().signal);
    const { body } = await client.ask(
      { ...place, method: "GET", path, headers: [], body: { kind: "none" } },
      1000,
      watch,
    );
    return new Response(body as ReadableStream<Uint8Array<ArrayBuffer>>).text();
  };
  const slow = askWith(first, "/slow");
  await vi.waitFor(() => expect(waiting).toBe(true));
  credentials = await second.issue("127.0.0.1");
  for (const tell of changed) tell();
  await vi.waitFor(async () => expect(await askWith(second, "/")).toBe("fast"), { timeout: 10_000 });
  await expect(askWith(first, "/")).rejects.toMatchObject({ kind: "unreachable" });
  gate.resolve();
  expect(await slow).toBe("slow");
});

test("closing lets what is under way end, but not for ever", async () => {
  const gate = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  let waiting = 0;
  const listening = await listen(async (request) => {
    waiting += 1;
    await (new URL(request.url).pathname === "/hangs" ? release.promise : gate.promise);
    return new Response("ok");
  });
  const { port } = listening.address;
  const good = exchange(port, "GET / HTTP/1.1\r\nHost: h\r\n\r\n", 1);
  const hanging = exchange(port, "GET /hangs HTTP/1.1\r\nHost: h\r\n\r\n", 1);
  await vi.waitFor(() => expect(waiting).toBe(2));
  const closed = listening.close(500);
  gate.resolve();
  expect(await good).toEqual(["200"]);
  await closed;
  await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow();
  release.resolve();
  await hanging;
});
