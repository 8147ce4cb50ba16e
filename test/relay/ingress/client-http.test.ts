import { connect } from "node:net";
import { describe, expect, test, vi } from "vitest";
import type { RelayInfo } from "../../../src/link/relay-api.ts";
import { openHealth } from "../../../src/relay/observe/health.ts";
import { openLog } from "../../../src/relay/observe/log.ts";
import { openMetrics } from "../../../src/relay/observe/metrics.ts";
import { listenHttp } from "../../../src/relay/server/listen.ts";
import { openPublicHandler } from "../../../src/relay/server/public-handler.ts";
import { atTheEnd } from "../support/at-the-end.ts";
import { person } from "../support/people.ts";
import { call, linkAnswer, type NodeAnswer, relay } from "../support/relay.ts";

/*
 * Clients of all kinds reach the client API over HTTP: what they may write on a connection, `fetch` would not let a test
 * write.
 */

const node = await person(1);

/** A relay on a port, with a node whose client API is open, and a client that is connected to it. */
async function connected(answer: NodeAnswer) {
  const { ingress, api, enter, awake, seen } = relay();
  await enter(node);
  await call(api(node.name), "PUT", "/_relay/v1/client-api", { open: true });
  awake.set(node.name, answer);
  const handler = openPublicHandler({
    info: () => ({ name: "relay.example" }) as RelayInfo,
    health: openHealth({}, () => 0),
    link: async () => undefined,
    ingress: (request, caller) => ingress.http(request, caller),
    page: undefined,
    proxies: [],
    log: openLog(
      "error",
      (line) => expect.fail(line),
      () => 0,
    ),
    metrics: openMetrics(),
  });
  const here = { host: "127.0.0.1", port: 0 };
  const listening = await listenHttp("listen", here, handler, undefined, (error) =>
    expect.fail(String(error)),
  );
  const socket = connect(listening.address.port, "127.0.0.1");
  atTheEnd(async () => {
    socket.destroy();
    await listening.close(0);
  });
  await new Promise((resolve) => socket.once("connect", resolve));
  let text = "";
  socket.setEncoding("latin1");
  socket.on("data", (chunk) => {
    text += chunk;
  });
  return {
    seen,
    hangUp: () => socket.destroy(),
    write: (...lines: string[]) => socket.write(lines.join("\r\n")),
    /** What has come since it was last asked for, once all of that is there. */
    async read(...parts: (string | RegExp)[]): Promise<string> {
      await vi.waitFor(() => {
        for (const part of parts) expect(text).toMatch(part);
      });
      const read = text;
      text = "";
      return read;
    },
  };
}

const host = `Host: ${node.name}`;
const echo: NodeAnswer = async ({ method, target, headers, body }) =>
  linkAnswer(200, {
    method,
    target,
    headers: Object.fromEntries(headers),
    body: await new Response(body).text(),
  });

describe("a client's connection", () => {
  test("is kept, for one request after another, and those with a body as well", async () => {
    const { write, read } = await connected(echo);
    for (const n of [1, 2, 3]) {
      write(`GET /_matrix/client/versions?${n} HTTP/1.1`, host, "", "");
      expect(await read(`versions?${n}`)).toMatch(/^HTTP\/1\.1 200 OK/);
      write("POST /_matrix/client/v3/logout HTTP/1.1", host, "Content-Length: 2", "", "{}");
      await read('"body":"{}"');
    }
  });

  test("is kept while a request with an error is answered, whose body nobody has read", async () => {
    const { write, read } = await connected(echo);
    write("POST /_matrix/client/../x HTTP/1.1", host, "Content-Length: 2", "", "{}");
    await read(/^HTTP\/1\.1 400/, "M_INVALID_PARAM");
    write("GET /_matrix/client/versions HTTP/1.1", host, "", "");
    await read(/^HTTP\/1\.1 200/);
  });

  test("may be that of an old client, and is ended where it says so", async () => {
    const { write, read } = await connected(echo);
    write("GET /_matrix/client/versions HTTP/1.1", host, "Connection: close", "", "");
    const answer = await read("versions", /connection: close/i);
    expect(answer).toMatch(/^HTTP\/1\.1 200/);
  });
});

describe("a path", () => {
  test.each([
    "/_matrix/client/v3/rooms/!abc:hs1.example:8448/state/m.room.member/@bob:hs1.example",
    "/_matrix/client/v3/profile/@bob:[::1]:8448/displayname",
    "/_matrix/client/v3/rooms/!a%3Ab/event/$x-y_z~",
    "/_matrix/client/v3/directory/room/%23a%20b:c",
    '/_matrix/client/v3/sync?access_token=a+b&filter={"room":{"timeline":{"limit":1}}}&since=s1|2,3',
    "/_matrix/client/v3/user/@bob:hs1/account_data/m.x(y)*'z;a=b,c",
    "/_matrix/media/v3/upload?filename=%E2%98%83.png",
  ])("%s reaches the node as it was written", async (path) => {
    const { write, read, seen } = await connected(async () => linkAnswer(200, {}));
    write(`GET ${path} HTTP/1.1`, host, "", "");
    await read(/^HTTP\/1\.1 200/);
    expect(seen.asked).toEqual([`GET ${path}`]);
  });

  test("of Synapse's registration is a client's, and no other of Synapse's is", async () => {
    const { write, read, seen } = await connected(async () => linkAnswer(200, { nonce: "n" }));
    write("GET /_synapse/admin/v1/register HTTP/1.1", host, "", "");
    await read(/^HTTP\/1\.1 200/, "nonce", /access-control-allow-origin: \*/i);
    write("GET /_synapse/admin/v1/register/x HTTP/1.1", host, "", "");
    await read(/^HTTP\/1\.1 404/);
    write("GET /_synapse/admin/v2/users HTTP/1.1", host, "", "");
    await read(/^HTTP\/1\.1 404/, "M_UNRECOGNIZED");
    expect(seen.asked).toEqual(["GET /_synapse/admin/v1/register"]);
  });
});

describe("a method", () => {
  test("HEAD has the head of GET alone, and what follows on the connection is understood", async () => {
    const { write, read } = await connected(async () => linkAnswer(200, { secret: true }, [["x-a", "b"]]));
    write("HEAD /_matrix/client/versions HTTP/1.1", host, "", "");
    write("OPTIONS /_matrix/client/v3/sync HTTP/1.1", host, "Origin: https://a.example", "", "");
    const answers = await read(/x-a: b/i, /access-control-allow-methods: [^\r]*PUT/i);
    expect(answers.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(2);
    expect(answers).not.toContain("secret");
  });

  test.each(["PATCH", "DELETE"])("%s is the node's to answer", async (method) => {
    const { write, read } = await connected(echo);
    write(`${method} /_matrix/client/v3/x HTTP/1.1`, host, "Content-Length: 2", "", "{}");
    await read(`"method":"${method}"`, '"body":"{}"');
  });
});

describe("a body", () => {
  test("in chunks reaches the node piece by piece, and its trailer does not", async () => {
    const pieces: string[] = [];
    const { write, read } = await connected(async ({ body, headers }) => {
      for await (const piece of body ?? []) pieces.push(new TextDecoder().decode(piece));
      return linkAnswer(200, { names: headers.map(([name]) => name) });
    });
    write("POST /_matrix/media/v3/upload HTTP/1.1", host, "Transfer-Encoding: chunked", "", "3", "one", "");
    await vi.waitFor(() => expect(pieces.join("")).toBe("one"));
    write("4;ext=1", "two2", "0", "X-Trailer: yes", "", "");
    const answer = await read(/^HTTP\/1\.1 200/, "names");
    expect(pieces.join("")).toBe("onetwo2");
    expect(answer).not.toMatch(/transfer-encoding"|x-trailer/i);
  });

  test("that waits to be wanted is wanted", async () => {
    const { write, read } = await connected(echo);
    const length = "Content-Length: 4";
    write("PUT /_matrix/client/v3/x HTTP/1.1", host, length, "Expect: 100-continue", "", "");
    await read(/^HTTP\/1\.1 100/);
    write("body");
    await read(/^HTTP\/1\.1 200/, '"body":"body"');
  });

  test("of a large upload passes through without being kept", async () => {
    let size = 0;
    const { write, read } = await connected(async ({ body }) => {
      for await (const piece of body ?? []) size += piece.length;
      return linkAnswer(200, { size });
    });
    const piece = "x".repeat(1 << 20);
    write("POST /_matrix/media/v3/upload HTTP/1.1", host, `Content-Length: ${40 << 20}`, "", "");
    for (let n = 0; n < 40; n++) write(piece);
    await read(`"size":${40 << 20}`);
  });

  test("that is refused before its end is answered all the same", async () => {
    const { write, read } = await connected(async () => linkAnswer(401, { errcode: "M_UNKNOWN_TOKEN" }));
    write("POST /_matrix/media/v3/upload HTTP/1.1", host, `Content-Length: ${1 << 20}`, "", "begins");
    await read(/^HTTP\/1\.1 401/, "M_UNKNOWN_TOKEN");
  });
});

test("an answer without an end comes as it is made, and the node is told when the client goes", async () => {
  let push: (text: string) => void = () => undefined;
  let isGivenUp = false;
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => {
      push = (text) => controller.enqueue(new TextEncoder().encode(text));
    },
    cancel: () => {
      isGivenUp = true;
    },
  });
  const { write, read, hangUp } = await connected(async () => ({ status: 200, headers: [], body }));
  write("GET /_matrix/client/v3/sync HTTP/1.1", host, "Connection: close", "", "");
  push("first");
  await read(/^HTTP\/1\.1 200/, "first");
  push("second");
  await read("second");
  expect(isGivenUp).toBe(false);
  hangUp();
  await vi.waitFor(() => expect(isGivenUp).toBe(true));
});
