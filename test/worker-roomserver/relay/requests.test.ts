import { describe, expect, test } from "vitest";
import type { LinkRequest } from "../../../src/link/api.ts";
import { answering } from "../../../src/worker-roomserver/relay/requests.ts";
import { ask } from "./support/fake-relay.ts";

async function answers({ isOpen = true } = {}) {
  const clients: string[] = [];
  const servers: string[] = [];
  const handler = answering({
    federation: async ({ target }: LinkRequest) => {
      servers.push(target);
      return { status: 200, headers: [] };
    },
    clientApi: async ({ target }: LinkRequest) => {
      clients.push(target);
      return { status: 200, headers: [] };
    },
    isOpen: () => isOpen,
  });
  return { handler, servers, clients };
}

describe("whose a path is", () => {
  test.each([
    "/_matrix/client/v3/sync?since=a",
    "/_matrix/client/versions",
    "/_matrix/media/v3/download/a/b",
    "/.well-known/matrix/client",
    "/_hearth/oauth/authorize?client_id=a",
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
    "/_hearth/oauth/../v1/relays",
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

test.each([
  "/_matrix/federation/v1/version",
  "/_matrix/federation/v1/send/a%2Fb?x=1",
  "/_matrix/key/v2/server",
])("%s is for other servers, whether the client API is open or not", async (path) => {
  const { handler, servers, clients } = await answers({ isOpen: false });
  expect((await ask(handler, "GET", path)).status).toBe(200);
  expect(servers).toEqual([path]);
  expect(clients).toEqual([]);
});
