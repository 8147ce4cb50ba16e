import { describe, expect, test } from "vitest";
import type { JsonObject } from "../../src/matrix/json.ts";
import { allEndpoints } from "../../src/sw/index.ts";
import { RequestStatistics } from "../../src/sw/request-statistics.ts";
import { prepareComlink } from "../../src/worker-roomserver/node/across-ports.ts";
import { bindings } from "../worker-roomserver/support/bindings.ts";
import { registerAt, testNode } from "../worker-roomserver/support/node.ts";
import { type Answer, asking } from "./support/ask.ts";

prepareComlink();

const base = "/_hearth/v1";
const whoami = "/_matrix/client/v3/account/whoami";
const part = encodeURIComponent;

describe.each(bindings)("the owner's API, called %s", (_, bind) => {
  async function home() {
    const node = await testNode();
    const ask = asking({ node: await bind(node), endpoints: allEndpoints });
    const login = async (username: string) => {
      const { userId } = await registerAt(node, username);
      const identifier = { type: "m.id.user", user: userId };
      const body = { type: "m.login.password", identifier, password: "correct horse battery" };
      const answer = await ask("POST", "/_matrix/client/v3/login", { body });
      const token = answer.body.access_token as string;
      const call = (method: string, path: string, body?: JsonObject | string): Promise<Answer> =>
        ask(method, path, { token, ...(body !== undefined && { body }) });
      return { userId, token, call };
    };
    const owner = await login("owner");
    const alice = await login("alice");
    return { node, ask, owner, alice };
  }

  const refused = (status: number, errcode: string) =>
    expect.objectContaining({ status, body: { errcode, error: expect.any(String) } });

  test("what ends somebody's rights ends them at once, though their token was known", async () => {
    const { owner, alice } = await home();
    const user = `${base}/users/${part(alice.userId)}`;
    expect((await alice.call("GET", whoami)).status).toBe(200);
    expect(await alice.call("GET", `${base}/users`)).toEqual(refused(403, "M_FORBIDDEN"));

    await owner.call("PUT", user, { admin: true });
    expect((await alice.call("GET", `${base}/users`)).status).toBe(200);
    await owner.call("PUT", user, { admin: false });
    expect(await alice.call("GET", `${base}/users`)).toEqual(refused(403, "M_FORBIDDEN"));

    await owner.call("PUT", user, { locked: true });
    expect((await alice.call("GET", whoami)).status).toBe(401);
    await owner.call("PUT", user, { locked: false });
    expect((await alice.call("GET", whoami)).status).toBe(200);
    await owner.call("DELETE", `${user}/devices`);
    expect(await alice.call("GET", whoami)).toMatchObject({
      status: 401,
      body: { errcode: "M_UNKNOWN_TOKEN" },
    });
  });

  test("a removed service's token ends at once", async () => {
    const { ask, owner } = await home();
    const yaml = [
      ...["id: a/b", "url: null", "sender_localpart: bot", "namespaces: {}"],
      ...["as_token: as-token-of-some-length", "hs_token: hs-token-of-some-length"],
    ].join("\n");
    expect(await owner.call("POST", `${base}/app_services`, yaml)).toMatchObject({ body: { id: "a/b" } });
    const asService = () => ask("GET", whoami, { token: "as-token-of-some-length" });
    expect((await asService()).status).toBe(200);
    expect((await ask("GET", `${base}/users`, { token: "as-token-of-some-length" })).status).toBe(403);
    expect((await owner.call("DELETE", `${base}/app_services/${part("a/b")}`)).body).toEqual({});
    expect((await asService()).status).toBe(401);
  });

  test("what is wrong with a request is said as everywhere", async () => {
    const { owner } = await home();
    expect(await owner.call("GET", `${base}/nothing`)).toEqual(refused(404, "M_UNRECOGNIZED"));
    expect(await owner.call("DELETE", `${base}/statistics`)).toEqual(refused(405, "M_UNRECOGNIZED"));
    expect(await owner.call("PUT", `${base}/settings`, "{")).toEqual(refused(400, "M_NOT_JSON"));
    expect(await owner.call("PUT", `${base}/settings`, { nonsense: 1 })).toEqual(
      refused(400, "M_INVALID_PARAM"),
    );
    expect(await owner.call("PUT", `${base}/settings`, { guests: 1 })).toEqual(refused(400, "M_BAD_JSON"));
    expect(await owner.call("POST", `${base}/users`, {})).toEqual(refused(400, "M_MISSING_PARAM"));
    expect(await owner.call("GET", `${base}/users?limit=x`)).toEqual(refused(400, "M_INVALID_PARAM"));
    expect(await owner.call("GET", `${base}/users/%ff`)).toEqual(refused(400, "M_INVALID_PARAM"));
    expect(await owner.call("POST", `${base}/app_services`, "x".repeat(1024 * 1024 + 1))).toEqual(
      refused(413, "M_TOO_LARGE"),
    );
    const own = `${base}/users/${part(owner.userId)}`;
    expect(await owner.call("POST", `${own}/deactivate`)).toEqual(refused(403, "M_FORBIDDEN"));
  });

  test("a wait for the log ends with what comes, and with its client", async () => {
    const { ask, owner, alice } = await home();
    const { end } = (await owner.call("GET", `${base}/log`)).body;
    const path = `${base}/log/entries?after=${String(end)}&topic=profile&timeout=25000`;
    const next = owner.call("GET", path);
    await alice.call("PUT", `/_matrix/client/v3/profile/${part(alice.userId)}/displayname`, {
      displayname: "A",
    });
    expect(await next).toMatchObject({
      body: { entries: [{ topic: "profile", user_id: alice.userId, detail: "displayname" }] },
    });
    expect((await ask("GET", `${base}/openapi.json`)).body).toMatchObject({ openapi: "3.1.0" });
  });
});

describe("statistics of requests", () => {
  test("say how long they took, and never too little", () => {
    const requests = new RequestStatistics(5);
    for (let i = 0; i < 99; i++) requests.note("read", 200, 3);
    requests.note("read", 404, 1_000);
    requests.note("write", 200, 0);
    requests.note("message", 200, 1e9);
    expect(requests.shown()).toEqual({
      since_ts: 5,
      classes: [
        { class: "read", statuses: { 200: 99, 404: 1 }, p50_ms: 4, p99_ms: 4 },
        { class: "write", statuses: { 200: 1 }, p50_ms: 0.5, p99_ms: 0.5 },
        { class: "message", statuses: { 200: 1 }, p50_ms: 2 ** 18.5, p99_ms: 2 ** 18.5 },
      ],
    });
    requests.note("read", 200, 1_000);
    expect(requests.shown().classes[0]).toMatchObject({ p50_ms: 4, p99_ms: 1_024 });
  });
});
