import { describe, expect, test, vi } from "vitest";
import { jsonObject } from "../../src/door/schemas.ts";
import { createClientApi, pathInScope } from "../../src/sw/door.ts";
import { endpoint } from "../../src/sw/endpoint.ts";
import { type Caller, TokenBuckets } from "../../src/sw/limits.ts";
import { markOf, RelayedRequests } from "../../src/sw/relayed.ts";
import {
  RELAY_MARK,
  RELAY_UNLIMITED,
  RELAYED_BASE,
  RELAYED_STATUS,
} from "../../src/worker-roomserver/relay/api.ts";
import { testHome } from "./support/home.ts";
import { alice, nodeDouble } from "./support/node-double.ts";

vi.mock("workbox-precaching", () => ({
  getCacheKeyForURL: () => "cached",
  matchPrecache: async () => new Response(),
}));
const { shellAnswer } = await import("../../src/sw/app-shell.ts");

const good = "a mark";
const request = (path: string, headers: Record<string, string> = {}, init: RequestInit = {}) =>
  new Request(`https://home.example${path}`, { ...init, headers: { [RELAY_MARK]: good, ...headers } });

function relayedTo(clientApi: (request: Request, caller: Caller) => Promise<Response>, scopePath = "/") {
  const knowsMark = vi.fn(async (mark: string) => mark === good);
  const relayed = new RelayedRequests({ clientApi, relays: { knowsMark }, scopePath });
  return { knowsMark, answer: (each: Request) => relayed.answer(each, markOf(each)!) };
}

const statusOf = ({ headers }: Response) => Number(headers.get(RELAYED_STATUS));

describe("who comes through a relay", () => {
  test("is somebody elsewhere, by the address that the relay has seen", async () => {
    const callers: Caller[] = [];
    const { answer } = relayedTo(async (_, caller) => {
      callers.push(caller);
      return new Response("{}", { status: 201, headers: { "X-A": "b" } });
    });
    const response = await answer(
      request("/_matrix/client/versions", {
        "X-Forwarded-For": "forged, 192.0.2.7",
        [RELAYED_BASE]: "https://node.relay.example",
      }),
    );
    expect(callers).toEqual([
      { source: "relay", address: "192.0.2.7", baseUrl: "https://node.relay.example" },
    ]);
    expect([response.status, statusOf(response), response.headers.get("X-A")]).toEqual([200, 201, "b"]);
  });

  test("is unlimited where the homeserver's own worker says so, and nothing of Synapse's but registration is there", async () => {
    const callers: Caller[] = [];
    const { answer } = relayedTo(async (_, caller) => {
      callers.push(caller);
      return new Response("{}");
    });
    await answer(request("/_synapse/admin/v1/register", { [RELAY_UNLIMITED]: "yes" }));
    expect(callers).toEqual([{ source: "relay", address: "", baseUrl: "", unlimited: true }]);
    expect(statusOf(await answer(request("/_synapse/admin/v1/registers")))).toBe(404);
    expect(statusOf(await answer(request("/_synapse/admin/v2/users")))).toBe(404);
  });

  test.each([302, 304, 404])(
    "gets an answer of status %i, though a fetch would make something else of it",
    async (status) => {
      const { answer } = relayedTo(async () => new Response(null, { status, headers: { Location: "/x" } }));
      const response = await answer(request("/_matrix/client/versions"));
      expect([response.status, statusOf(response), response.headers.get("Location")]).toEqual([
        200,
        status,
        "/x",
      ]);
    },
  );

  test("is nobody with another mark: it is asked whose it is, once for one that is good", async () => {
    const { answer, knowsMark } = relayedTo(async () => new Response("{}"));
    const forged = await answer(request("/_matrix/client/versions", { [RELAY_MARK]: "forged" }));
    expect(statusOf(forged)).toBe(403);
    await answer(request("/_matrix/client/versions"));
    await answer(request("/_matrix/client/versions"));
    expect(knowsMark.mock.calls).toEqual([["forged"], [good]]);
  });

  test.each([
    "/_hearth/v1/relays",
    "/_matrix/federation/v1/version",
    "/index.html",
    "/.well-known/matrix/support",
  ])("gets nothing of %s", async (path) => {
    const clientApi = vi.fn(async () => new Response("{}"));
    const { answer } = relayedTo(clientApi);
    expect(statusOf(await answer(request(path)))).toBe(404);
    expect(clientApi).not.toHaveBeenCalled();
  });

  test("is limited by address, and is told when to come again", async () => {
    const login = endpoint(
      { method: "GET", path: "/_matrix/client/x", auth: "none", limit: "login", response: jsonObject },
      async () => ({}),
    );
    const clientApi = createClientApi({
      ...{ node: nodeDouble({}), endpoints: [login], limiter: new TokenBuckets(() => 0), scopePath: "/" },
    });
    const { answer } = relayedTo(clientApi);
    const from = (address: string) => answer(request("/_matrix/client/x", { "X-Forwarded-For": address }));
    for (let n = 0; n < 5; n++) expect(statusOf(await from("192.0.2.7"))).toBe(200);
    const limited = await from("192.0.2.7");
    expect(statusOf(limited)).toBe(429);
    expect(limited.headers.get("Retry-After")).toBe("10");
    expect(statusOf(await from("192.0.2.8"))).toBe(200);
  });

  test("has no session but that of a token, though a page has one", async () => {
    const bindPage = vi.fn(async () => undefined);
    const authenticatePage = vi.fn(async () => ({ requester: alice, expiresAt: null }));
    const media = endpoint(
      {
        ...{ method: "GET", path: "/_matrix/client/x", auth: "user", limit: "read", response: jsonObject },
        pageSession: true,
      },
      async ({ requester }) => ({ user: requester.userId }),
    );
    const node = nodeDouble({ users: { bindPage, authenticatePage } });
    const clientApi = createClientApi({
      ...{ node, endpoints: [media], limiter: new TokenBuckets(() => 0), scopePath: "/" },
    });
    const { answer } = relayedTo(clientApi);
    expect(statusOf(await answer(request("/_matrix/client/x", { Authorization: "Bearer alice" })))).toBe(200);
    expect(statusOf(await answer(request("/_matrix/client/x")))).toBe(401);
    expect(bindPage).not.toHaveBeenCalled();
    expect(authenticatePage).not.toHaveBeenCalled();
  });
});

test("a page's request has no mark", () => {
  expect(markOf(new Request("https://home.example/_matrix/client/versions"))).toBeUndefined();
});

test("what the relay that serves the page answers itself goes to the network untouched", () => {
  for (const path of ["/_relay/v1/info", "/_relay/v1/link", "/_relay/"]) {
    expect(pathInScope(path, "/"), path).toBeUndefined();
    expect(pathInScope(path, "/hearth/"), path).toBeUndefined();
    expect(
      shellAnswer(new Request(`https://home.example${path}`), "https://home.example/"),
      path,
    ).toBeUndefined();
  }
  expect(shellAnswer(new Request("https://home.example/index.html"), "https://home.example/")).toBeDefined();
});

describe("the owner's relays", () => {
  const path = "/_hearth/v1/relays";
  const url = encodeURIComponent("https://relay.example");

  test("need an access token", async () => {
    const { ask } = await testHome();
    expect((await ask("GET", path)).status).toBe(401);
  });

  test("are listed, added and removed", async () => {
    const home = await testHome();
    const token = await tokenOf(home, "owner");
    expect((await home.ask("GET", path, { token })).body).toEqual({ relays: [] });
    const added = await home.ask("POST", path, { token, body: { url: "relay.example" } });
    expect(added).toMatchObject({ status: 200, body: { url: "https://relay.example", added: "owner" } });
    expect((await home.ask("PUT", `${path}/${url}`, { token, body: { client_api: true } })).status).toBe(200);
    expect((await home.ask("POST", `${path}/${url}/retry`, { token, body: {} })).status).toBe(200);
    expect((await home.ask("GET", path, { token })).body).toMatchObject({
      relays: [{ url: "https://relay.example", client_api: true, wake_up: false }],
    });
    const keys = { p256dh: "p", auth: "a" };
    const subscription = { endpoint: "https://push.example/1", expirationTime: null, keys };
    expect((await home.ask("PUT", `${path}/${url}`, { token, body: { wake_up: subscription } })).status).toBe(
      200,
    );
    expect((await home.ask("GET", path, { token })).body).toMatchObject({ relays: [{ wake_up: true }] });
    const named = await home.ask("POST", `${path}/${url}/name`, { token, body: { label: "alice" } });
    expect(named.status).toBe(503);
    expect((await home.ask("DELETE", `${path}/${url}`, { token })).status).toBe(200);
    expect((await home.ask("GET", path, { token })).body).toEqual({ relays: [] });
    expect((await home.ask("PUT", `${path}/${url}`, { token, body: { client_api: true } })).status).toBe(404);
  });

  test("are no business of others who have an account", async () => {
    const home = await testHome();
    await tokenOf(home, "owner");
    const token = await tokenOf(home, "bob");
    for (const [method, at, body] of [
      ["GET", path, undefined],
      ["POST", path, { url: "relay.example" }],
      ["DELETE", `${path}/${url}`, undefined],
      ["PUT", `${path}/${url}`, {}],
      ["POST", `${path}/${url}/retry`, {}],
      ["POST", `${path}/${url}/name`, { label: "bob" }],
    ] as const) {
      const answer = await home.ask(method, at, { token, ...(body && { body }) });
      expect(answer, `${method} ${at}`).toMatchObject({ status: 403, body: { errcode: "M_FORBIDDEN" } });
    }
  });
});

async function tokenOf(home: Awaited<ReturnType<typeof testHome>>, username: string): Promise<string> {
  const { body } = await home.ask("POST", "/_matrix/client/v3/register", {
    body: { username, password: "correct horse battery", auth: { type: "m.login.dummy" } },
  });
  return body.access_token as string;
}
