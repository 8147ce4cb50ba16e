import { describe, expect, test } from "vitest";
import { pathInScope } from "../../src/sw/door.ts";
import { allEndpoints } from "../../src/sw/index.ts";
import { TokenBuckets } from "../../src/sw/limits.ts";
import { testNode } from "../worker-roomserver/support/node.ts";
import { dummy } from "../worker-roomserver/support/users.ts";
import { asking } from "./support/ask.ts";

const password = "correct horse battery";

async function operated(caller: Parameters<typeof asking>[0]["caller"] = { source: "own" }) {
  const node = await testNode();
  const endpoints = allEndpoints;
  const limiter = new TokenBuckets(() => 0);
  const ask = asking({ node, endpoints, limiter, caller });
  const register = (username: string) =>
    ask("POST", "/_matrix/client/v3/register", { body: { username, password, auth: dummy } });
  return { node, ask, register };
}

test("an account is made in one call where registration is open", async () => {
  const { register } = await operated();
  expect(await register("alice")).toMatchObject({ status: 200, body: { access_token: expect.any(String) } });
});

test("rooms are of the version that the owner wants, and clients are told", async () => {
  const { node, ask, register } = await operated();
  const token = (await register("alice")).body.access_token as string;
  const versionOf = async () => {
    const { body } = await ask("POST", "/_matrix/client/v3/createRoom", { token, body: {} });
    const path = `/_matrix/client/v3/rooms/${body.room_id}/state/m.room.create`;
    const made = (await ask("GET", path, { token })).body.room_version;
    const { capabilities } = (await ask("GET", "/_matrix/client/v3/capabilities", { token })).body;
    return [made, (capabilities as { "m.room_versions": { default: string } })["m.room_versions"].default];
  };
  expect(await versionOf()).toEqual(["12", "12"]);
  await node.settings.set({ room_version: "10" });
  expect(await versionOf()).toEqual(["10", "10"]);
});

describe("somebody elsewhere", () => {
  const address = "192.0.2.7";
  const baseUrl = "https://home.example";

  test("registers as often as they like only where the owner has set no limits", async () => {
    const limited = await operated({ source: "relay", address, baseUrl });
    const free = await operated({ source: "relay", address, baseUrl, unlimited: true });
    const names = ["a", "b", "c", "d", "e"];
    const statuses = async (one: typeof free) => {
      const answers = [];
      for (const name of names) answers.push((await one.register(name)).status);
      return answers;
    };
    expect(await statuses(limited)).toEqual([200, 200, 200, 429, 429]);
    expect(await statuses(free)).toEqual([200, 200, 200, 200, 200]);
  });
});

describe("registration as Synapse has it", () => {
  const path = "/_synapse/admin/v1/register";

  test("is the client API's, and refused where there is no secret", async () => {
    expect(pathInScope(path, "/")).toBe(path);
    const { ask } = await operated();
    expect(await ask("GET", path)).toMatchObject({ status: 400, body: { errcode: "M_UNKNOWN" } });
  });

  test("gives out a nonce, and hands on what is asked", async () => {
    const { node, ask } = await operated();
    await node.settings.set({ registration_secret: "a shared secret" });
    const { body } = await ask("GET", path);
    expect(body).toEqual({ nonce: expect.any(String) });
    const wrong = { ...body, username: "bob", password, mac: "0".repeat(40) };
    expect(await ask("POST", path, { body: wrong })).toMatchObject({
      status: 403,
      body: { errcode: "M_FORBIDDEN", error: "HMAC incorrect" },
    });
    expect(await ask("POST", path, { body: "[]" })).toMatchObject({ status: 400 });
  });
});
