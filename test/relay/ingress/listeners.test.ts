import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { connect } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import type { IngressHandler } from "../../../src/relay/ingress/ingress.ts";
import { arrivedFromNode, writeToNode } from "../../../src/relay/ingress/node-http.ts";
import { person, RELAY, signed } from "../support/people.ts";
import { linkAnswer, relay } from "../support/relay.ts";

const node = await person(1);

/** Deno's own server in front of the ingress. */
async function overDeno({ http }: IngressHandler): Promise<number> {
  const options = { port: 0, hostname: "127.0.0.1", onListen: () => undefined };
  const server = Deno.serve(options, async (request, info) => {
    const found = await http(request, { address: (info.remoteAddr as Deno.NetAddr).hostname });
    return found ?? new Response(null, { status: 404 });
  });
  onTestFinished(() => server.shutdown());
  return server.addr.port;
}

/** The server of node:http in front of it. */
async function overNode({ answer }: IngressHandler): Promise<number> {
  const server = createServer((message, response) => {
    const given = arrivedFromNode(message, response);
    const found = given === undefined ? Promise.resolve(new Response(null, { status: 400 })) : answer(given);
    void found.then((one) => writeToNode(one ?? new Response(null, { status: 404 }), response));
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  onTestFinished(() => new Promise<void>((closed) => server.close(() => closed())));
  return (server.address() as AddressInfo).port;
}

/** Sends bytes as they are, and reads what comes until the connection is closed. */
function raw(port: number, text: string): Promise<string> {
  return new Promise((resolve) => {
    let answer = "";
    const socket = connect(port, "127.0.0.1", () => socket.write(text));
    socket.on("data", (piece) => {
      answer += piece;
    });
    // Reset or closed: what has come is the answer.
    socket.on("error", () => undefined);
    socket.on("close", () => resolve(answer));
  });
}

const statusOf = (answer: string) => Number(answer.split(" ")[1] ?? 0);

async function opened() {
  const one = relay();
  await one.enter(node);
  one.awake.set(node.name, async () => linkAnswer(200, {}));
  return one;
}

describe.each([
  ["Deno's server", overDeno],
  ["the server of node:http", overNode],
])("behind %s", (_name, listen) => {
  test("paths pass as they came, with the address of the peer", async () => {
    const { ingress, awake, seen } = await opened();
    let from: string | undefined;
    awake.set(node.name, async ({ headers }) => {
      from = headers.find(([header]) => header === "x-forwarded-for")?.[1];
      return linkAnswer(200, { ok: 1 });
    });
    const port = await listen(ingress);
    const target = "/_matrix/federation/v1/x/!r:a/@u|b%2Fc%20d?q=[]&e=%7e";
    const headers = `Host: ${node.name}\r\nX-Forwarded-For: 203.0.113.1\r\nConnection: close`;
    const answer = await raw(port, `GET ${target} HTTP/1.1\r\n${headers}\r\n\r\n`);
    expect(answer).toContain('{"ok":1}');
    expect(seen.asked).toEqual([`GET ${target}`]);
    expect(from).toBe("127.0.0.1");
  });

  test.each<[what: string, text: string]>([
    [
      "two Hosts",
      `GET /_matrix/federation/v1/x HTTP/1.1\r\nHost: ${node.name}\r\nHost: ${RELAY}\r\nConnection: close\r\n\r\n`,
    ],
    [
      "a target that leads elsewhere than its Host",
      `GET http://${node.name}/_matrix/federation/v1/x HTTP/1.1\r\nHost: ${RELAY}\r\nConnection: close\r\n\r\n`,
    ],
    [
      "a Host that is none",
      `GET /_matrix/federation/v1/x HTTP/1.1\r\nHost: ${node.name}/x\r\nConnection: close\r\n\r\n`,
    ],
    ["no Host", "GET /_matrix/federation/v1/x HTTP/1.1\r\nConnection: close\r\n\r\n"],
    [
      "two lengths",
      `POST /_matrix/federation/v1/x HTTP/1.1\r\nHost: ${node.name}\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n\r\n`,
    ],
    [
      "two lengths that differ",
      `POST /_matrix/federation/v1/x HTTP/1.1\r\nHost: ${node.name}\r\nContent-Length: 5\r\nContent-Length: 6\r\nConnection: close\r\n\r\nabcdef`,
    ],
    [
      "dots in its path",
      `GET /_matrix/federation/../client/versions HTTP/1.1\r\nHost: ${node.name}\r\nConnection: close\r\n\r\n`,
    ],
  ])("a request with %s is refused, and no node sees it", async (_, text) => {
    const { ingress, seen } = await opened();
    const port = await listen(ingress);
    const answer = await raw(port, text);
    const status = statusOf(answer);
    expect([400, 404]).toContain(status);
    expect(seen.asked).toEqual([]);
  });

  test("chunks that are none are no transaction", async () => {
    const { ingress, awake, mailbox } = await opened();
    awake.clear();
    const port = await listen(ingress);
    const uri = "/_matrix/federation/v1/send/1";
    const { authorization } = await signed(await person(2), node.name, "PUT", uri, { pdus: [] });
    const head = `PUT ${uri} HTTP/1.1\r\nHost: ${node.name}\r\nAuthorization: ${authorization}\r\n`;
    const answer = await raw(port, `${head}Transfer-Encoding: chunked\r\n\r\nzz\r\n{"pdus":[]}\r\n0\r\n\r\n`);
    expect(answer).not.toContain("200 OK");
    expect(await mailbox.backlog(node.name)).toMatchObject({ entries: 0 });
  });
});

test("behind node:http, Dendrite's GET with a body is understood: Deno's server gives none", async () => {
  const { ingress, awake, mailbox } = await opened();
  awake.clear();
  await mailbox.put(node.name, {
    ...{ origin: "a.example", txnId: "t", method: "PUT", uri: "/", authorization: [] },
    ...{ body: new TextEncoder().encode('{"pdus":[]}'), receivedAt: 1, verified: true },
  });
  const port = await overNode(ingress);
  const uri = `/_matrix/federation/v1/relay_txn/@a:${node.name}`;
  const { authorization, body = "" } = await signed(node, RELAY, "GET", uri, { entry_id: 0 });
  const head = `GET ${uri} HTTP/1.1\r\nHost: ${RELAY}\r\nAuthorization: ${authorization}\r\nConnection: close\r\n`;
  const answer = await raw(port, `${head}Content-Length: ${body.length}\r\n\r\n${body}`);
  expect(statusOf(answer)).toBe(200);
  expect(answer).toContain('"transaction_id":"t"');
});
