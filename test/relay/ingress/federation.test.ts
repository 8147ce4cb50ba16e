import { describe, expect, test } from "vitest";
import type { LinkRequest } from "../../../src/link/api.ts";
import type { JsonValue } from "../../../src/matrix/json.ts";
import { defaultLimits } from "../../../src/relay/ingress/parts.ts";
import { keyDocument, person, RELAY, signed } from "../support/people.ts";
import { type ArrivedOver, arrived, call, linkAnswer, relay } from "../support/relay.ts";

const node = await person(1);
const other = await person(9, "other.example");
const ALICE = `@alice:${node.name}`;

async function opened(...parameters: Parameters<typeof relay>) {
  const one = relay(...parameters);
  one.world.set(other.name, other);
  await one.enter(node);
  /** Asks without a signature. */
  const ask = async (method: string, target: string, over: ArrivedOver & { host?: string } = {}) => {
    const answer = await one.ingress.answer(arrived(over.host ?? node.name, method, target, over));
    const text = await answer?.text();
    return {
      status: answer?.status,
      headers: answer?.headers,
      text,
      json: text ? JSON.parse(text) : undefined,
    };
  };
  const askSigned = async (method: string, uri: string, content?: JsonValue, from = other) => {
    const { authorization, body } = await signed(from, node.name, method, uri, content);
    return ask(method, uri, { body, headers: { authorization } });
  };
  return { ...one, ask, askSigned, node: one.api(node.name) };
}

const deposit = {
  devices: { user_id: ALICE, stream_id: 3, devices: [] },
  device_keys: { D: { device_id: "D" } },
  one_time_keys: { D: { "signed_curve25519:1": "k1" } },
  fallback_keys: { D: { "signed_curve25519:F": "kF" } },
};

describe("what is answered for a node that is away", () => {
  test("its latest signed key document, to anybody", async () => {
    const { ask, node: api } = await opened();
    expect(await ask("GET", "/_matrix/key/v2/server")).toMatchObject({
      status: 404,
      json: { errcode: "M_NOT_FOUND" },
    });
    const document = await keyDocument(node);
    await call(api, "PUT", "/_relay/v1/server-keys", { document });
    expect((await ask("GET", "/_matrix/key/v2/server")).json).toEqual(document);
    expect((await ask("GET", "/_matrix/key/v2/server/ed25519:1?a=b")).json).toEqual(document);
    expect(await ask("HEAD", "/_matrix/key/v2/server")).toMatchObject({ status: 200 });
  });

  test("its version", async () => {
    const { ask } = await opened();
    expect((await ask("GET", "/_matrix/federation/v1/version")).json).toEqual({
      server: { name: "Hearth", version: "1" },
    });
  });

  test("devices and keys of its users, to servers that sign", async () => {
    const { askSigned, node: api } = await opened();
    await call(api, "PUT", `/_relay/v1/key-mailbox/${encodeURIComponent(ALICE)}`, deposit);
    const devices = await askSigned(
      "GET",
      `/_matrix/federation/v1/user/devices/${encodeURIComponent(ALICE)}`,
    );
    expect(devices.json).toEqual(deposit.devices);
    const query = await askSigned("POST", "/_matrix/federation/v1/user/keys/query", {
      device_keys: { [ALICE]: [] },
    });
    expect(query.json).toMatchObject({ device_keys: { [ALICE]: { D: { device_id: "D" } } } });
    const claim = { one_time_keys: { [ALICE]: { D: "signed_curve25519" } } };
    const claims = [];
    for (let time = 0; time < 3; time++) {
      claims.push((await askSigned("POST", "/_matrix/federation/v1/user/keys/claim", claim)).json);
    }
    const giving = (key: object) => ({ one_time_keys: { [ALICE]: { D: key } } });
    expect(claims).toEqual([
      giving({ "signed_curve25519:1": "k1" }),
      giving({ "signed_curve25519:F": "kF" }),
      giving({ "signed_curve25519:F": "kF" }),
    ]);
  });

  test("but not to a forger, nor to those whose keys cannot be had; no key is spent on them", async () => {
    const { askSigned, ask, node: api } = await opened();
    await call(api, "PUT", `/_relay/v1/key-mailbox/${encodeURIComponent(ALICE)}`, deposit);
    const claim = { one_time_keys: { [ALICE]: { D: "signed_curve25519" } } };
    const path = "/_matrix/federation/v1/user/keys/claim";
    expect(await ask("POST", path, { body: JSON.stringify(claim) })).toMatchObject({ status: 401 });
    const forger = await person(8, other.name);
    expect(await askSigned("POST", path, claim, forger)).toMatchObject({ status: 401 });
    const unknown = await person(7, "unreachable.example");
    expect(await askSigned("POST", path, claim, unknown)).toMatchObject({
      status: 403,
      json: { errcode: "M_FORBIDDEN" },
    });
    expect(JSON.stringify((await askSigned("POST", path, claim)).json)).toContain("signed_curve25519:1");
  });

  test.each<[what: string, body: JsonValue]>([
    ["no users", {}],
    ["users that are none", { one_time_keys: [] }],
    ["devices that are none", { one_time_keys: { [ALICE]: 1 } }],
    ["an algorithm that is none", { one_time_keys: { [ALICE]: { D: 1 } } }],
    [
      "too many users",
      { one_time_keys: Object.fromEntries(Array.from({ length: 65 }, (_, n) => [`@${n}:a`, {}])) },
    ],
  ])("a claim with %s is 400", async (_, body) => {
    const { askSigned } = await opened();
    expect(await askSigned("POST", "/_matrix/federation/v1/user/keys/claim", body)).toMatchObject({
      status: 400,
      json: { errcode: "M_BAD_JSON" },
    });
  });

  test.each<[method: string, path: string]>([
    ["GET", "/_matrix/federation/v1/make_join/!r:a/@u:b"],
    ["PUT", "/_matrix/federation/v2/send_join/!r:a/$e"],
    ["GET", "/_matrix/federation/v1/backfill/!r:a?v=$e&limit=1"],
    ["GET", "/_matrix/federation/v1/query/profile?user_id=@a:b"],
    ["POST", "/_matrix/key/v2/query"],
    ["GET", "/_matrix/federation/v1/user/devices/@nobody:a"],
    ["PUT", "/_matrix/federation/v1/send/"],
    ["PUT", "/_matrix/federation/v1/send/a/b"],
  ])("%s %s is a fast 404", async (method, path) => {
    const { askSigned } = await opened();
    const answer = await askSigned(method, path, method === "GET" ? undefined : {});
    expect([404, 400]).toContain(answer.status);
    expect(answer.json.errcode).toMatch(/^M_(NOT_FOUND|INVALID_PARAM)$/);
  });
});

describe("what is passed on to a node that is awake", () => {
  test("the very path, method and body; answers as they are, without what would hold for the relay", async () => {
    const { ask, awake } = await opened();
    const asked: LinkRequest[] = [];
    awake.set(node.name, async (request) => {
      asked.push({ ...request, body: undefined });
      return linkAnswer(418, { got: await new Response(request.body).text() }, [
        ["x-own", "1"],
        ["set-cookie", "a=b; Domain=relay.example"],
        ["Strict-Transport-Security", "max-age=1; includeSubDomains"],
        ["transfer-encoding", "chunked"],
        ["x-broken", "a\r\nb: c"],
        ["bad name", "x"],
      ]);
    });
    const target = "/_matrix/federation/v1/x/!r:a/@u|é%2F%20?q=[]&a=..&b='";
    const answer = await ask("POST", target, { body: "{}" });
    expect(answer).toMatchObject({ status: 418, json: { got: "{}" } });
    expect(asked[0]).toMatchObject({ method: "POST", target });
    const names = [...(answer.headers ?? [])].map(([name]) => name);
    expect(names).toEqual(["content-type", "x-content-type-options", "x-own"]);
  });

  test.each([502, 503, 504])("%i of a node means that it is away", async (status) => {
    const { ask, awake } = await opened();
    awake.set(node.name, async () => linkAnswer(status, {}));
    expect(await ask("GET", "/_matrix/federation/v1/event/$e")).toMatchObject({ status: 404 });
    expect(await ask("GET", "/_matrix/federation/v1/version")).toMatchObject({ status: 200 });
  });

  test("a node that does not answer is a 404 after a while, and at once where the relay can answer", async () => {
    const { ask, awake } = await opened({ limits: { ...defaultLimits, answerTime: 5 } });
    awake.set(node.name, () => new Promise(() => undefined));
    expect(await ask("GET", "/_matrix/federation/v1/event/$e")).toMatchObject({ status: 404 });
    expect(await ask("GET", "/_matrix/federation/v1/version")).toMatchObject({ status: 200 });
  });

  test("a body over the limit breaks off, and the sender hears 413", async () => {
    const { ask, awake } = await opened({ limits: { ...defaultLimits, federationBytes: 10 } });
    awake.set(node.name, async (request) => {
      await new Response(request.body).text().catch(() => undefined);
      return linkAnswer(200, {});
    });
    expect(await ask("POST", "/_matrix/federation/v1/x", { body: "x".repeat(11) })).toMatchObject({
      status: 413,
    });
    expect(await ask("POST", "/_matrix/federation/v1/x", { body: "x".repeat(10) })).toMatchObject({
      status: 200,
    });
  });

  test("a body that stops coming is given up with 408", async () => {
    const { ask, awake } = await opened({ limits: { ...defaultLimits, idleTime: 5 } });
    awake.set(node.name, async (request) => {
      await new Response(request.body).text().catch(() => undefined);
      return linkAnswer(200, {});
    });
    const answer = await ask("POST", "/_matrix/federation/v1/x", { body: new ReadableStream() });
    expect(answer).toMatchObject({ status: 408 });
  });

  test("a body for a node that is away is not waited for: its sender is told to stop", async () => {
    const { ask } = await opened();
    let cancelled = false;
    const cancel = () => {
      cancelled = true;
    };
    const answer = await ask("POST", "/_matrix/federation/v1/x", { body: new ReadableStream({ cancel }) });
    expect(answer).toMatchObject({ status: 404 });
    expect(cancelled).toBe(true);
  });

  test("what fails in the relay is told without its reasons", async () => {
    const { ask, awake, seen } = await opened();
    awake.set(node.name, () => Promise.reject(new Error("secret")));
    const answer = await ask("GET", "/_matrix/federation/v1/event/$e");
    expect(answer).toMatchObject({ status: 500, json: { errcode: "M_UNKNOWN" } });
    expect(answer.text).not.toContain("secret");
    expect(seen.faults).toHaveLength(1);
  });
});

describe("paths that could be read in two ways", () => {
  test.each([
    "/_matrix/federation/../client/v3/sync",
    "/_matrix/federation/./v1/version",
    "/_matrix/federation/%2e%2E/client/v3/sync",
    "/_matrix/federation/.%2e",
    "/_matrix/federation/..%2fclient/v3/sync",
    "/_matrix/federation/v1/x%2f..%2fy",
    "/_matrix/federation/v1/x%5c..%5cy",
    "/_matrix/federation\\..\\client/v3/sync",
    "/_matrix/federation/v1/x%00",
    "/_matrix/federation/v1/x%0a",
    "/_matrix/federation/v1/x#y",
    "/_matrix/federation/v1/version?a#b",
    "/_matrix/federation/v1/a b",
    "/_matrix/federation/v1/a\u0000",
    `/_matrix/federation/v1/${"x".repeat(8192)}`,
  ])("%j is refused with 400, and no node sees it", async (target) => {
    const { ask, awake, seen } = await opened();
    awake.set(node.name, async () => linkAnswer(200, {}));
    expect(await ask("GET", target)).toMatchObject({ status: 400, json: { errcode: "M_INVALID_PARAM" } });
    expect(seen.asked).toEqual([]);
  });

  test.each([
    "/_matrix/%66ederation/v1/version",
    "/_matrix//federation/v1/version",
    "/_matrix/federation",
    "/_matrix/clients/v3/sync",
    "/_matrix/x",
    "/.well-known/matrix/x",
    "/index.html",
    "//_matrix/federation/v1/version",
    "*",
  ])("%j leads nowhere", async (target) => {
    const { ask, awake, seen } = await opened();
    awake.set(node.name, async () => linkAnswer(200, {}));
    expect(await ask("GET", target)).toMatchObject({ status: 404, json: { errcode: "M_UNRECOGNIZED" } });
    expect(seen.asked).toEqual([]);
  });

  test("other paths of hosts that lead to no node are the relay's own", async () => {
    const { ingress } = await opened();
    for (const target of ["/", "/index.html", "/_relay/v1/info"]) {
      expect(await ingress.answer(arrived(RELAY, "GET", target))).toBeUndefined();
    }
    const matrix = await ingress.answer(arrived(RELAY, "GET", "/_matrix/federation/v1/version"));
    expect(matrix?.status).toBe(404);
  });

  test.each(["PATCH", "TRACE", "CONNECT", "OPTIONS"])(
    "%s is no method of the federation API",
    async (method) => {
      const { ask, seen } = await opened();
      expect(await ask(method, "/_matrix/federation/v1/version")).toMatchObject({ status: 405 });
      expect(seen.asked).toEqual([]);
    },
  );
});

test("a server finds a node where only the port for HTTPS is open", async () => {
  const { ask } = await opened();
  expect((await ask("GET", "/.well-known/matrix/server")).json).toEqual({ "m.server": `${node.name}:443` });
  expect(await ask("GET", "/.well-known/matrix/server", { host: "nobody.example" })).toMatchObject({
    status: 404,
  });
});

test("the relay itself is found in the same way, by who leaves mail there", async () => {
  const { ask } = await opened();
  const { json } = await ask("GET", "/.well-known/matrix/server", { host: RELAY });
  expect(json).toEqual({ "m.server": `${RELAY}:443` });
});

test("a node asks another one of the same relay without leaving it", async () => {
  const { ingress, mailbox } = await opened();
  const from = await person(2);
  const { authorization, body } = await signed(from, node.name, "PUT", "/_matrix/federation/v1/send/1", {
    pdus: [],
  });
  const request: LinkRequest = {
    method: "PUT",
    target: "/_matrix/federation/v1/send/1",
    headers: [["authorization", authorization]],
    body: new Blob([body ?? ""]).stream(),
  };
  const answer = await ingress.local(node.name, request, new AbortController().signal);
  expect(answer.status).toBe(200);
  expect(await new Response(answer.body).json()).toEqual({ pdus: {} });
  expect(await mailbox.backlog(node.name)).toMatchObject({ entries: 1 });
});
