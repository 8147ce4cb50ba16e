import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { connect, type Socket } from "node:net";
import { afterEach, describe, expect, test, vi } from "vitest";
import { openClientPort } from "../../scripts/headless/client-port.mjs";

const NAME = "example.org";
let relay: Server;
let port: Awaited<ReturnType<typeof openClientPort>>;
const sockets: Socket[] = [];

async function opened(answer: (request: IncomingMessage, response: ServerResponse) => void) {
  relay = createServer(answer).listen(0, "127.0.0.1");
  await once(relay, "listening");
  const { port: relayPort } = relay.address() as AddressInfo;
  port = await openClientPort({ host: "127.0.0.1", port: 0 }, `http://127.0.0.1:${relayPort}`, NAME);
  return port.url;
}

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await port.close();
  relay.closeAllConnections();
  relay.close();
});

/** A client that writes what it wants, and all that it has read. */
async function rawClient() {
  const { hostname, port: at } = new URL(port.url);
  const socket = connect(Number(at), hostname);
  sockets.push(socket);
  await once(socket, "connect");
  let text = "";
  socket.setEncoding("latin1").on("data", (chunk) => {
    text += chunk;
  });
  return { socket, text: () => text };
}

describe("a client's request", () => {
  test("is passed on as it was written, with the homeserver's name and the client's address", async () => {
    const seen: unknown[] = [];
    await opened(({ method, url, headers }, response) => {
      seen.push(method, url, headers.host, headers["x-forwarded-for"], headers.authorization);
      response.end("{}");
    });
    const { socket, text } = await rawClient();
    const path = "/_matrix/client/v3/rooms/!a:b/state/m.x/@u:c%2Fd?access_token=x";
    socket.write(`GET ${path} HTTP/1.1\r\nHost: whatever:1\r\nAuthorization: Bearer t\r\n\r\n`);
    await vi.waitFor(() => expect(text()).toMatch(/^HTTP\/1\.1 200 OK\r\n.*\{\}/s));
    expect(seen).toEqual(["GET", path, NAME, "127.0.0.1", "Bearer t"]);
  });

  test("is one of many on the same connection", async () => {
    await opened(({ url }, response) => response.end(url));
    const { socket, text } = await rawClient();
    socket.write("GET /one HTTP/1.1\r\nHost: a\r\n\r\n");
    await vi.waitFor(() => expect(text()).toContain("/one"));
    expect(text()).toMatch(/keep-alive: timeout=600/i);
    socket.write("HEAD /two HTTP/1.1\r\nHost: a\r\n\r\n");
    await vi.waitFor(() => expect(text().match(/200 OK/g)).toHaveLength(2));
    expect(text()).not.toContain("/two");
    socket.write("OPTIONS /three HTTP/1.1\r\nHost: a\r\n\r\n");
    await vi.waitFor(() => expect(text()).toContain("/three"));
  });

  test.each(["POST", "PUT", "DELETE"])(
    "may be a %s in pieces, each of which goes on at once",
    async (method) => {
      const pieces: string[] = [];
      await opened((request, response) => {
        request.setEncoding("utf8").on("data", (piece) => pieces.push(piece));
        request.on("end", () => response.end(request.headers["transfer-encoding"]));
      });
      const { socket, text } = await rawClient();
      socket.write(`${method} /upload HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n`);
      await vi.waitFor(() => expect(pieces).toEqual(["one"]));
      socket.write("3\r\ntwo\r\n0\r\n\r\n");
      await vi.waitFor(() => expect(text()).toContain("chunked"));
      expect(pieces.join("")).toBe("onetwo");
    },
  );

  test("is ended at the relay when the client goes", async () => {
    let isGone = false;
    let isThere = false;
    await opened((request, response) => {
      isThere = true;
      response.on("close", () => {
        isGone = !response.writableFinished && request.destroyed;
      });
    });
    const { socket } = await rawClient();
    socket.write("GET /sync HTTP/1.1\r\nHost: a\r\n\r\n");
    await vi.waitFor(() => expect(isThere).toBe(true));
    socket.destroy();
    await vi.waitFor(() => expect(isGone).toBe(true));
  });
});

test("an answer comes piece by piece, with its status and headers", async () => {
  let end = (): void => undefined;
  const url = await opened((_, response) => {
    response.writeHead(418, { "X-A": "b" }).write("one");
    end = () => void response.end("two");
  });
  const response = await fetch(url);
  expect([response.status, response.headers.get("x-a")]).toEqual([418, "b"]);
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  expect((await reader.read()).value).toBe("one");
  end();
  expect((await reader.read()).value).toBe("two");
});

test("a relay that is not there is said to be, so that a page can read it", async () => {
  const url = await opened((_, response) => response.end());
  relay.closeAllConnections();
  relay.close();
  await once(relay, "close");
  const response = await fetch(url);
  expect([response.status, response.headers.get("access-control-allow-origin")]).toEqual([502, "*"]);
  expect(await response.json()).toMatchObject({ errcode: "M_UNKNOWN" });
});

test("a port that is taken is a failure in words", async () => {
  const url = new URL(await opened((_, response) => response.end()));
  await expect(
    openClientPort({ host: "127.0.0.1", port: Number(url.port) }, "http://127.0.0.1:1", NAME),
  ).rejects.toThrow("--client-listen");
});
