import * as v from "valibot";
import { afterEach, describe, expect, test, vi } from "vitest";
import { booleanParameter, jsonObject, jsonParameter, limitParameter } from "../../src/door/schemas.ts";
import { badJson, forbidden, MatrixError } from "../../src/matrix/errors.ts";
import { maxBodyBytes } from "../../src/sw/body.ts";
import { type Endpoint, endpoint, Reply } from "../../src/sw/endpoint.ts";
import { budgets, TokenBuckets } from "../../src/sw/limits.ts";
import type { Users } from "../../src/worker-roomserver/users/api.ts";
import { asking } from "./support/ask.ts";
import { alice, guest, nodeDouble } from "./support/node-double.ts";

const path = "/_matrix/client/v3/test";
const common = { limit: "read", response: jsonObject } as const;

const endpoints: Endpoint[] = [
  endpoint({ ...common, method: "GET", path: `${path}/open`, auth: "none" }, async ({ requester }) => ({
    requester: requester ?? null,
  })),
  endpoint(
    { ...common, method: "GET", path: `${path}/optional`, auth: "optional" },
    async ({ requester }) => ({
      user: requester?.userId ?? null,
    }),
  ),
  endpoint({ ...common, method: "GET", path: `${path}/user`, auth: "user" }, async ({ requester }) => ({
    user: requester.userId,
  })),
  endpoint({ ...common, method: "GET", path: `${path}/guest`, auth: "guest" }, async ({ requester }) => ({
    user: requester.userId,
  })),
  endpoint(
    {
      ...common,
      method: "GET",
      path: `${path}/query`,
      auth: "none",
      query: v.object({
        need: v.string(),
        flag: v.optional(booleanParameter),
        limit: limitParameter(10, 50),
        filter: jsonParameter,
      }),
    },
    async ({ query }) => ({ ...query }),
  ),
  endpoint(
    {
      ...common,
      method: "POST",
      path: `${path}/body`,
      auth: "none",
      body: v.object({ name: v.string(), list: v.optional(v.array(v.object({ a: v.number() }))) }),
    },
    async ({ body }) => ({ name: body.name }),
  ),
  endpoint(
    { ...common, method: "PUT", path: `${path}/any`, auth: "none", body: jsonObject, optionalBody: true },
    async ({ body }) => body,
  ),
  endpoint({ ...common, method: "POST", path: `${path}/reply`, auth: "none" }, async () => {
    return new Reply(401, { flows: [] }, { "X-Test": "1" });
  }),
  endpoint({ ...common, method: "GET", path: `${path}/bytes`, auth: "none" }, async () => {
    return new TextEncoder().encode('{"written":true}');
  }),
  endpoint({ ...common, method: "GET", path: `${path}/forbidden`, auth: "none" }, async () => {
    throw forbidden("No.");
  }),
  endpoint({ ...common, method: "GET", path: `${path}/broken`, auth: "none" }, async () => {
    throw new TypeError("secret detail");
  }),
  endpoint({ ...common, method: "GET", path: `${path}/busy`, auth: "none" }, async () => {
    throw new MatrixError("M_LIMIT_EXCEEDED", 429, "Wait.", { retry_after_ms: 1500 });
  }),
  endpoint(
    { ...common, method: "POST", path: `${path}/revoke`, auth: "user", revokes: true },
    async () => ({}),
  ),
  endpoint(
    { ...common, method: "POST", path: `${path}/revoke-fails`, auth: "user", revokes: true },
    async () => {
      throw badJson("No.");
    },
  ),
  endpoint(
    { ...common, method: "POST", path: `${path}/login`, auth: "none", limit: "login" },
    async () => ({}),
  ),
];

const ask = asking({ node: nodeDouble({}), endpoints });
const error = (status: number, errcode: string) => ({
  status,
  body: { errcode, error: expect.stringMatching(/^["A-Z].*\.$/) },
});

afterEach(() => vi.restoreAllMocks());

describe("answers", () => {
  test("JSON with CORS headers", async () => {
    const { status, headers, body } = await ask("GET", `${path}/open`);
    expect([status, body]).toEqual([200, { requester: null }]);
    expect(headers.get("Content-Type")).toBe("application/json");
    expect(headers.get("Access-Control-Allow-Origin")).toBe("*");
  });

  test("an answer that is bytes already, and one with a status of its own", async () => {
    expect(await ask("GET", `${path}/bytes`)).toMatchObject({ status: 200, body: { written: true } });
    const reply = await ask("POST", `${path}/reply`);
    expect(reply).toMatchObject({ status: 401, body: { flows: [] } });
    expect(reply.headers.get("X-Test")).toBe("1");
  });

  test("HEAD is GET without the body", async () => {
    const { status, headers, body } = await ask("HEAD", `${path}/open`);
    expect([status, body, headers.get("Content-Type")]).toEqual([200, {}, "application/json"]);
    expect((await ask("HEAD", "/_matrix/client/v3/nothing")).status).toBe(404);
  });

  test.each([`${path}/user`, "/_matrix/client/v3/nothing"])("OPTIONS %s is a preflight", async (at) => {
    const { status, headers } = await ask("OPTIONS", at);
    expect(status).toBe(204);
    expect(headers.get("Access-Control-Allow-Methods")).toContain("DELETE");
    expect(headers.get("Access-Control-Allow-Headers")).toContain("Authorization");
  });

  test("errors are told with their own status, and to every origin", async () => {
    const refused = await ask("GET", `${path}/forbidden`);
    expect(refused).toMatchObject(error(403, "M_FORBIDDEN"));
    expect(refused.headers.get("Access-Control-Allow-Origin")).toBe("*");
  });

  test("a 429 has Retry-After in whole seconds beside retry_after_ms", async () => {
    const { status, headers, body } = await ask("GET", `${path}/busy`);
    expect([status, headers.get("Retry-After"), body.retry_after_ms]).toEqual([429, "2", 1500]);
  });

  test("a defect is a 500 that says nothing of its inside, and stands in the console", async () => {
    const log = vi.spyOn(console, "error").mockImplementation(() => undefined);
    const { status, body } = await ask("GET", `${path}/broken`);
    expect([status, body.errcode]).toEqual([500, "M_UNKNOWN"]);
    expect(JSON.stringify(body)).not.toContain("secret");
    expect(log).toHaveBeenCalledOnce();
  });

  test.each(["LeaderFenced", "CommitSuperseded"])(
    "%s of storage is a 503 to come back after",
    async (name) => {
      const failing = endpoint({ ...common, method: "GET", path, auth: "none" }, async () => {
        throw Object.assign(new Error("gone"), { name });
      });
      const { status, headers } = await asking({ node: nodeDouble({}), endpoints: [failing] })("GET", path);
      expect([status, headers.get("Retry-After")]).toEqual([503, "1"]);
    },
  );
});

describe("paths", () => {
  const under = asking({ node: nodeDouble({}), endpoints, scopePath: "/some/place/" });

  test.each([`/some/place${path}/open`, `${path}/open`])("%s is served below a prefix", async (at) => {
    expect((await under("GET", at)).status).toBe(200);
  });

  test.each([`/some${path}/open`, `/some/placeX${path}/open`, "/_matrixx", "/index.html"])(
    "%s is not the client API's",
    async (at) => {
      expect(await under("GET", at)).toMatchObject(error(404, "M_UNRECOGNIZED"));
    },
  );

  test("another method is a 405", async () => {
    expect(await ask("DELETE", `${path}/open`)).toMatchObject(error(405, "M_UNRECOGNIZED"));
  });
});

describe("access tokens", () => {
  test.each([
    ["header", { token: "alice" }, ""],
    ["query", {}, "?access_token=alice"],
    ["scheme in other capitals", { headers: { Authorization: "bearer alice" } }, ""],
  ])("from %s", async (_, options, query) => {
    expect(await ask("GET", `${path}/user${query}`, options)).toMatchObject({
      status: 200,
      body: { user: alice.userId },
    });
  });

  test.each([
    ["none", {}, "", "M_MISSING_TOKEN"],
    ["another scheme", { headers: { Authorization: "Basic YTpi" } }, "", "M_MISSING_TOKEN"],
    ["an empty one", { headers: { Authorization: "Bearer" } }, "", "M_MISSING_TOKEN"],
    ["an empty parameter", {}, "?access_token=", "M_MISSING_TOKEN"],
    ["two parameters", {}, "?access_token=alice&access_token=alice", "M_MISSING_TOKEN"],
    ["both", { token: "alice" }, "?access_token=alice", "M_MISSING_TOKEN"],
    ["an unknown one", { token: "mallory" }, "", "M_UNKNOWN_TOKEN"],
    ["one named like a property of objects", { token: "__proto__" }, "", "M_UNKNOWN_TOKEN"],
  ])("%s is a 401", async (_, options, query, errcode) => {
    expect(await ask("GET", `${path}/user${query}`, options)).toMatchObject(error(401, errcode));
  });

  test("an optional one may be missing, but not wrong", async () => {
    expect((await ask("GET", `${path}/optional`)).body).toEqual({ user: null });
    expect((await ask("GET", `${path}/optional`, { token: "alice" })).body).toEqual({ user: alice.userId });
    expect(await ask("GET", `${path}/optional`, { token: "x" })).toMatchObject(error(401, "M_UNKNOWN_TOKEN"));
  });

  test("where none is needed, a wrong one is not looked at", async () => {
    expect((await ask("GET", `${path}/open`, { token: "x" })).status).toBe(200);
  });

  test("guests pass only where they may", async () => {
    expect((await ask("GET", `${path}/guest`, { token: "guest" })).body).toEqual({ user: guest.userId });
    expect(await ask("GET", `${path}/user`, { token: "guest" })).toMatchObject(
      error(403, "M_GUEST_ACCESS_FORBIDDEN"),
    );
  });
});

describe("the cache of tokens", () => {
  function counted(authenticate?: Users["authenticate"]) {
    const double = vi.fn(authenticate ?? (async () => ({ requester: alice, expiresAt: null })));
    return { double, ask: asking({ node: nodeDouble({ users: { authenticate: double } }), endpoints }) };
  }

  test("asks once for many requests", async () => {
    const { double, ask } = counted();
    await ask("GET", `${path}/user`, { token: "a" });
    await ask("GET", `${path}/user`, { token: "a" });
    expect(double).toHaveBeenCalledTimes(1);
  });

  test("asks again after a minute, and once a token has expired", async () => {
    const now = vi.spyOn(Date, "now").mockReturnValue(0);
    const { double, ask } = counted(async () => ({ requester: alice, expiresAt: 5_000 }));
    await ask("GET", `${path}/user`, { token: "a" });
    now.mockReturnValue(4_999);
    await ask("GET", `${path}/user`, { token: "a" });
    expect(double).toHaveBeenCalledTimes(1);
    now.mockReturnValue(5_000);
    await ask("GET", `${path}/user`, { token: "a" });
    expect(double).toHaveBeenCalledTimes(2);
  });

  test.each(["revoke", "revoke-fails"])("is dropped after %s", async (name) => {
    const { double, ask } = counted();
    await ask("POST", `${path}/${name}`, { token: "a" });
    await ask("GET", `${path}/user`, { token: "a" });
    expect(double).toHaveBeenCalledTimes(2);
  });

  test("does not keep what was asked before a drop and answered after it", async () => {
    let release = (): void => undefined;
    const slow = new Promise<void>((resolve) => {
      release = resolve;
    });
    let first = true;
    const { double, ask } = counted(async (token) => {
      if (token === "slow" && first) {
        first = false;
        await slow;
      }
      return { requester: { ...alice, deviceId: token }, expiresAt: null };
    });
    const waiting = ask("GET", `${path}/user`, { token: "slow" });
    await ask("POST", `${path}/revoke`, { token: "b" });
    release();
    await waiting;
    await ask("GET", `${path}/user`, { token: "slow" });
    expect(double.mock.calls.filter(([token]) => token === "slow")).toHaveLength(2);
  });

  test("the first use of a device's new token makes its old one be asked about again", async () => {
    const { double, ask } = counted();
    for (const token of ["old", "old", "new", "old"]) await ask("GET", `${path}/user`, { token });
    expect(double.mock.calls.map(([token]) => token)).toEqual(["old", "new", "old"]);
  });
});

describe("query parameters", () => {
  test("are read, with defaults and bounds", async () => {
    const { body } = await ask(
      "GET",
      `${path}/query?need=x&flag=true&limit=99&filter=%7B%22a%22:1%7D&other=1`,
    );
    expect(body).toEqual({ need: "x", flag: true, limit: 50, filter: { a: 1 } });
    expect((await ask("GET", `${path}/query?need=`)).body).toEqual({ need: "", limit: 10, filter: {} });
  });

  test.each([
    ["missing", "", "M_MISSING_PARAM"],
    ["twice", "?need=1&need=2", "M_INVALID_PARAM"],
    ["no boolean", "?need=x&flag=yes", "M_INVALID_PARAM"],
    ["a negative number", "?need=x&limit=-1", "M_INVALID_PARAM"],
    ["no number", "?need=x&limit=ten", "M_INVALID_PARAM"],
    ["a fraction", "?need=x&limit=1.5", "M_INVALID_PARAM"],
    ["no JSON", "?need=x&filter=%7B", "M_INVALID_PARAM"],
    ["JSON that is no object", "?need=x&filter=[]", "M_INVALID_PARAM"],
    ["broken escapes", "?need=%E0%A4%A", "M_INVALID_PARAM"],
  ])("%s is a 400", async (_, query, errcode) => {
    expect(await ask("GET", `${path}/query${query}`)).toMatchObject(error(400, errcode));
  });
});

describe("bodies", () => {
  const deep = (levels: number) => `${'{"a":'.repeat(levels)}0${"}".repeat(levels)}`;
  const sized = (bytes: number) => JSON.stringify({ pad: "x".repeat(bytes - '{"pad":""}'.length) });

  test.each<[string, BodyInit, number, string]>([
    ["empty", "", 400, "M_NOT_JSON"],
    ["no JSON", "{", 400, "M_NOT_JSON"],
    ["a word", "name", 400, "M_NOT_JSON"],
    ["a raw control character", '{"name":"a\u0001"}', 400, "M_NOT_JSON"],
    ["not UTF-8", new Uint8Array([0x22, 0xff, 0x22]), 400, "M_NOT_JSON"],
    ["an array", "[]", 400, "M_BAD_JSON"],
    ["null", "null", 400, "M_BAD_JSON"],
    ["a member of another type", '{"name":1}', 400, "M_BAD_JSON"],
    ["a member that is null", '{"name":null}', 400, "M_BAD_JSON"],
    ["no member", "{}", 400, "M_MISSING_PARAM"],
    ["a wrong member further in", '{"name":"x","list":[{"a":"1"}]}', 400, "M_BAD_JSON"],
    ["a lone surrogate", '{"name":"\\ud800"}', 400, "M_BAD_JSON"],
    ["a lone surrogate in a key", '{"name":"x","\\udc00":1}', 400, "M_BAD_JSON"],
    ["NUL", '{"name":"a\\u0000b"}', 400, "M_BAD_JSON"],
    ["NUL in a key further in", '{"name":"x","o":[{"\\u0000":1}]}', 400, "M_BAD_JSON"],
    ["nesting too deep", deep(128), 400, "M_BAD_JSON"],
    ["nesting far too deep", "[".repeat(500_000), 400, "M_BAD_JSON"],
    ["a number past any double", '{"name":"x","n":1e999}', 400, "M_BAD_JSON"],
    ["the same key twice", '{"name":"x","name":"y"}', 400, "M_BAD_JSON"],
    ["too large", sized(maxBodyBytes + 1), 413, "M_TOO_LARGE"],
  ])("%s is refused", async (_, body, status, errcode) => {
    expect(await ask("POST", `${path}/body`, { body })).toMatchObject(error(status, errcode));
  });

  test("a complaint names the member", async () => {
    const { body } = await ask("POST", `${path}/body`, { body: '{"name":"x","list":[{"a":"1"}]}' });
    expect(body.error).toBe('"list.0.a" should be a number.');
  });

  test.each([
    ["as large as may be", sized(maxBodyBytes)],
    ["as deep as may be", deep(127)],
    ["keys of objects' own", '{"constructor":1,"prototype":2,"toString":{"hasOwnProperty":3}}'],
    ["any Unicode", '{"😀":"\\ud83d\\ude00","":""}'],
  ])("%s comes through whole", async (_, text) => {
    const { status, body } = await ask("PUT", `${path}/any`, { body: text });
    expect([status, JSON.stringify(body)]).toEqual([200, JSON.stringify(JSON.parse(text))]);
  });

  test("__proto__ is a key like any other and changes no object's nature", async () => {
    const { status, body } = await ask("PUT", `${path}/any`, { body: '{"__proto__":{"x":1}}' });
    expect([status, Object.keys(body)]).toEqual([200, ["__proto__"]]);
  });

  test("an absent body is {} where the endpoint says so", async () => {
    expect(await ask("PUT", `${path}/any`)).toMatchObject({ status: 200, body: {} });
  });
});

test("limits are drawn on before a body is read", async () => {
  const limiter = new TokenBuckets(() => 0);
  const relayed = asking({
    node: nodeDouble({}),
    endpoints,
    limiter,
    caller: { source: "relay", address: "192.0.2.1", baseUrl: "https://home.example" },
  });
  for (let call = 0; call < budgets.login.burst; call++) {
    expect((await relayed("POST", `${path}/login`)).status).toBe(200);
  }
  expect(await relayed("POST", `${path}/login`, { body: "{" })).toMatchObject(error(429, "M_LIMIT_EXCEEDED"));
});
