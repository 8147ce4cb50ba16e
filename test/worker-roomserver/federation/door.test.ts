import { describe, expect, test } from "vitest";
import { bodyOf, readBody } from "../../../src/link/bodies.ts";
import { chooseEd25519 } from "../../../src/matrix/ed25519.ts";
import { isJsonObject, type JsonObject } from "../../../src/matrix/json.ts";
import { readServerKeys, SERVER_KEYS_VALID_MS } from "../../../src/matrix/server-keys.ts";
import { encodeUtf8 } from "../../../src/matrix/utf8.ts";
import { authorizationFor } from "../../../src/matrix/x-matrix.ts";
import type { OpenNode } from "../../../src/worker-roomserver/node/node.ts";
import { federatedNode } from "./support/federated-node.ts";
import { namedServer } from "./support/named-server.ts";
import { TestNetwork } from "./support/network.ts";

type Asked = { method?: string; headers?: [string, string][]; body?: string };

async function ask(node: OpenNode, target: string, { method = "GET", headers = [], body }: Asked = {}) {
  const response = await node.answerServers(
    { method, target, headers, ...(body !== undefined && { body: bodyOf(encodeUtf8(body)) }) },
    new AbortController().signal,
  );
  const json: unknown = JSON.parse(new TextDecoder().decode(await readBody(response.body, 1e6)));
  if (!isJsonObject(json as JsonObject)) throw new Error("no object");
  return { status: response.status, body: json as JsonObject };
}

/** A node, and another server whose requests it can tell to be that one's. */
async function strangers() {
  const { node, serverName } = await federatedNode(new TestNetwork());
  const other = await namedServer();
  const signed = async (method: string, uri: string, content?: JsonObject, destination = serverName) =>
    [
      "authorization",
      await authorizationFor({ method, uri, origin: other.serverName, destination, content }, other.key),
    ] as [string, string];
  return { node, serverName, other, signed };
}

const SEND = "/_matrix/federation/v1/send/a%2Fb?x=1";

describe("the door for other servers", () => {
  test.each(["/_matrix/key/v2/server", "/_matrix/key/v2/server/ed25519:abc"])(
    "%s is the signed document with this server's key, for everybody",
    async (path) => {
      const { node, serverName } = await strangers();
      const before = Date.now();
      const { status, body } = await ask(node, path);
      expect(status).toBe(200);
      const { keys, validUntil } = await readServerKeys(body, serverName, await chooseEd25519(crypto.subtle));
      expect(keys.size).toBe(1);
      expect(validUntil).toBeGreaterThanOrEqual(before + SERVER_KEYS_VALID_MS);
    },
  );

  test("it says what software this is", async () => {
    const { node } = await strangers();
    const { body } = await ask(node, "/_matrix/federation/v1/version");
    expect(body).toEqual({ server: { name: "Hearth", version: expect.any(String) } });
  });

  test("a signed request is let in", async () => {
    const { node, signed } = await strangers();
    const content = { origin: "x", origin_server_ts: 1, pdus: [] };
    const headers = [await signed("PUT", SEND, content)];
    const answer = await ask(node, SEND, { method: "PUT", headers, body: JSON.stringify(content) });
    expect(answer).toEqual({ status: 200, body: { pdus: {} } });
  });

  test.each<[string, (given: Awaited<ReturnType<typeof strangers>>) => Promise<Asked>]>([
    ["that nobody has signed", async () => ({ body: "{}" })],
    [
      "for another server",
      async ({ signed }) => ({
        headers: [await signed("PUT", SEND, {}, "other.example")],
        body: "{}",
      }),
    ],
    [
      "with another body",
      async ({ signed }) => ({ headers: [await signed("PUT", SEND, {})], body: '{"a":1}' }),
    ],
    [
      "to another path",
      async ({ signed }) => ({ headers: [await signed("PUT", `${SEND}1`, {})], body: "{}" }),
    ],
    ["by another method", async ({ signed }) => ({ headers: [await signed("GET", SEND, {})], body: "{}" })],
    [
      "in the name of another",
      async ({ other, signed }) => {
        const [name, value] = await signed("PUT", SEND, {});
        const { serverName } = await namedServer();
        return { headers: [[name, value.replace(other.serverName, serverName)]], body: "{}" };
      },
    ],
  ])("a request %s is not", async (_, make) => {
    const given = await strangers();
    const answer = await ask(given.node, SEND, { method: "PUT", ...(await make(given)) });
    expect(answer).toMatchObject({ status: 401, body: { errcode: "M_UNAUTHORIZED" } });
  });

  test.each([
    ["too long", "x".repeat(10 * 1024 * 1024 + 1), 413, "M_TOO_LARGE"],
    ["no JSON", "{", 400, "M_NOT_JSON"],
    ["no object", "[]", 400, "M_BAD_JSON"],
  ])("a body that is %s is answered", async (_, body, status, errcode) => {
    const { node } = await strangers();
    expect(await ask(node, SEND, { method: "PUT", body })).toMatchObject({ status, body: { errcode } });
  });

  test.each([
    ["GET", "/_matrix/federation/v1/nothing", 404],
    ["GET", "/_matrix/federation/v1/send/1", 405],
    ["PUT", "/_matrix/federation/v1/send/1/2", 404],
  ])("%s %s is not here", async (method, path, status) => {
    const { node } = await strangers();
    expect(await ask(node, path, { method })).toMatchObject({ status, body: { errcode: "M_UNRECOGNIZED" } });
  });
});
