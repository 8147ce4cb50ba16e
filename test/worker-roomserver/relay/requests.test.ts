import { describe, expect, test } from "vitest";
import type { LinkRequest } from "../../../src/link/api.ts";
import { chooseEd25519 } from "../../../src/matrix/ed25519.ts";
import type { JsonObject } from "../../../src/matrix/json.ts";
import { verifySignedJson } from "../../../src/matrix/signing.ts";
import type { Mail } from "../../../src/worker-roomserver/relay/api.ts";
import { federationHandler } from "../../../src/worker-roomserver/relay/federation.ts";
import { answering } from "../../../src/worker-roomserver/relay/requests.ts";
import { VALID_MS } from "../../../src/worker-roomserver/relay/server-keys.ts";
import { ask } from "./support/fake-relay.ts";

const now = 1_700_000_000_000;

async function answers({ isOpen = true } = {}) {
  const ed25519 = await chooseEd25519(crypto.subtle);
  const seed = new Uint8Array(32).fill(7);
  const key = {
    keyId: "ed25519:abc",
    publicKey: await ed25519.publicKey(seed),
    sign: await ed25519.signer(seed),
  };
  const mail: Mail[] = [];
  const clients: string[] = [];
  const handler = answering({
    federation: federationHandler({
      ...{ serverName: "node.example", key, version: "9", now: () => now },
      inbox: { add: async (each) => mail.push(each) > 0 },
    }),
    clientApi: async ({ target }: LinkRequest) => {
      clients.push(target);
      return { status: 200, headers: [] };
    },
    isOpen: () => isOpen,
  });
  return { handler, mail, clients, ed25519, key };
}

describe("whose a path is", () => {
  test.each([
    "/_matrix/client/v3/sync?since=a",
    "/_matrix/client/versions",
    "/_matrix/media/v3/download/a/b",
    "/.well-known/matrix/client",
  ])("%s is the client API's, where it is open", async (path) => {
    const open = await answers();
    expect((await ask(open.handler, "GET", path)).status).toBe(200);
    expect(open.clients).toEqual([path]);
    const closed = await answers({ isOpen: false });
    expect(await ask(closed.handler, "GET", path)).toMatchObject({
      status: 403,
      body: { errcode: "M_FORBIDDEN" },
    });
    expect(closed.clients).toEqual([]);
  });

  test.each([
    "/",
    "/_hearth/v1/relays",
    "/_relay/v1/info",
    "/_matrix/client",
    "/_matrix/clients/v3/sync",
    "/_matrix/client/../../_hearth/v1/relays",
    "/_matrix/client/%2e%2E/%2e./_hearth/v1/relays",
    "/_matrix/client/..\\..\\_hearth\\v1\\relays",
    "/.well-known/matrix/support",
    "/.well-known/matrix/client/x",
  ])("%s is nobody's", async (path) => {
    const { handler, clients } = await answers();
    expect(await ask(handler, "GET", path)).toMatchObject({
      status: 404,
      body: { errcode: "M_UNRECOGNIZED" },
    });
    expect(clients).toEqual([]);
  });

  test.each(["https://other.example/_matrix/client/versions", "//other.example/_matrix/client/versions", ""])(
    "%j is refused",
    async (target) => {
      const { handler, clients } = await answers();
      expect((await ask(handler, "GET", target)).status).toBe(400);
      expect(clients).toEqual([]);
    },
  );
});

describe("federation, for now", () => {
  test.each(["/_matrix/key/v2/server", "/_matrix/key/v2/server/", "/_matrix/key/v2/server/ed25519:abc"])(
    "%s is the signed document with this server's key",
    async (path) => {
      const { handler, ed25519, key } = await answers();
      const { status, body } = await ask(handler, "GET", path);
      expect(status).toBe(200);
      expect(body).toMatchObject({
        server_name: "node.example",
        old_verify_keys: {},
        valid_until_ts: now + VALID_MS,
        verify_keys: { "ed25519:abc": { key: expect.any(String) } },
      });
      const isSigned = await verifySignedJson(
        body as JsonObject,
        "node.example",
        key.keyId,
        key.publicKey,
        ed25519,
      );
      expect(isSigned).toBe(true);
    },
  );

  test("it says what software this is", async () => {
    const { handler } = await answers();
    const { body } = await ask(handler, "GET", "/_matrix/federation/v1/version");
    expect(body).toEqual({ server: { name: "Hearth", version: "9" } });
  });

  const signed = 'X-Matrix origin="a.example",destination="node.example",key="ed25519:1",sig="c2ln"';

  test("a transaction is stored as it came before it is answered", async () => {
    const { handler, mail } = await answers();
    const path = "/_matrix/federation/v1/send/a%2Fb?x=1";
    const headers = [["authorization", signed]] as const;
    expect(await ask(handler, "PUT", path, { headers, body: '{"pdus":[]}' })).toMatchObject({
      status: 200,
      body: { pdus: {} },
    });
    expect(mail).toEqual([
      {
        ...{ origin: "a.example", transactionId: "a/b", method: "PUT", uri: path },
        ...{ authorization: [signed], body: "eyJwZHVzIjpbXX0", receivedAt: now },
      },
    ]);
  });

  test("one that nobody has signed, or that is for another server, is not", async () => {
    const { handler, mail } = await answers();
    const path = "/_matrix/federation/v1/send/1";
    expect((await ask(handler, "PUT", path, { body: "{}" })).status).toBe(401);
    const headers = [["authorization", signed.replace("node.example", "other.example")]] as const;
    expect((await ask(handler, "PUT", path, { headers, body: "{}" })).status).toBe(400);
    expect(mail).toEqual([]);
  });

  test("one that is too long is refused", async () => {
    const { handler, mail } = await answers();
    const headers = [["authorization", signed]] as const;
    const body = "x".repeat(10 * 1024 * 1024 + 1);
    const answer = await ask(handler, "PUT", "/_matrix/federation/v1/send/1", { headers, body });
    expect(answer).toMatchObject({ status: 413, body: { errcode: "M_TOO_LARGE" } });
    expect(mail).toEqual([]);
  });

  test.each([
    ["GET", "/_matrix/federation/v1/event/$x"],
    ["POST", "/_matrix/key/v2/server"],
    ["GET", "/_matrix/federation/v1/send/1"],
    ["PUT", "/_matrix/federation/v1/send/1/2"],
  ])("%s %s is not here", async (method, path) => {
    const { handler } = await answers();
    expect(await ask(handler, method, path)).toMatchObject({
      status: 404,
      body: { errcode: "M_UNRECOGNIZED" },
    });
  });
});
