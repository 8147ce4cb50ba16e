import { describe, expect, test } from "vitest";
import type { JsonObject } from "../../src/matrix/json.ts";
import { createClientApi } from "../../src/sw/door.ts";
import { allEndpoints } from "../../src/sw/index.ts";
import { unlimited } from "../../src/sw/limits.ts";
import { asToken, yamlOf } from "../worker-roomserver/appservices/support/registration.ts";
import { testNode } from "../worker-roomserver/support/node.ts";
import { until } from "../worker-roomserver/support/rounds.ts";
import { dummy } from "../worker-roomserver/support/users.ts";
import { type Answer, askingOf } from "./support/ask.ts";

const v3 = "/_matrix/client/v3";
const sliding = "/_matrix/client/unstable/org.matrix.simplified_msc3575/sync";
/** What waits for news: with the token of a sync, or the position of a sliding one. */
const polls = [
  ["GET", `${v3}/sync?since=`],
  ["POST", `${sliding}?pos=`],
  ["GET", `${v3}/events?from=`],
  ["GET", "/_hearth/v1/notifications?from="],
] as const;
const password = "correct horse battery";
const passwordAuth = (user: string) => ({
  type: "m.login.password",
  identifier: { type: "m.id.user", user },
  password,
});

/** An owner, and alice with two devices, whose laptop waits for news in all the ways there are. */
async function waiting() {
  const node = await testNode();
  let handled = 0;
  const endpoints = allEndpoints.map(({ description, handle }) => ({
    description,
    handle: (...context: Parameters<typeof handle>) => {
      handled += 1;
      return handle(...context);
    },
  }));
  const api = () => askingOf(createClientApi({ node, endpoints, limiter: unlimited, scopePath: "/" }));
  const ask = api();
  const register = async (username: string) =>
    (await ask("POST", `${v3}/register`, { body: { username, password, auth: dummy } })).body;
  const login = async (more: JsonObject = {}) =>
    (await ask("POST", `${v3}/login`, { body: { ...passwordAuth("alice"), ...more } })).body;
  const owner = await register("owner");
  const phone = (await register("alice")).access_token as string;
  const laptop = (await login({ device_id: "LAPTOP" })).access_token as string;
  return {
    ...{ node, ask, api, login, phone, laptop },
    owner: owner.access_token as string,
    alice: (owner.user_id as string).replace("@owner", "@alice"),
    /** Asks in all of these ways, and returns once the homeserver has been asked. */
    poll: async (token: string): Promise<Promise<Answer>[]> => {
      const lists = { token, body: { lists: {} } };
      const { body: synced } = await ask("GET", `${v3}/sync`, { token });
      const { body: slid } = await ask("POST", sliding, lists);
      const before = handled;
      const answers = polls.map(([method, path]) =>
        method === "POST"
          ? ask(method, `${path}${slid.pos as string}&timeout=25000`, lists)
          : ask(method, `${path}${synced.next_batch as string}&timeout=25000`, { token }),
      );
      await until(() => handled >= before + polls.length);
      return answers;
    },
  };
}

type Waiting = Awaited<ReturnType<typeof waiting>>;

const isDone = async (answer: Promise<Answer>) => expect((await answer).status).toBe(200);

test.each<[what: string, end: (t: Waiting) => Promise<unknown>, told?: JsonObject]>([
  ["the logout of its session", ({ ask, laptop }) => isDone(ask("POST", `${v3}/logout`, { token: laptop }))],
  ["a logout of all", ({ ask, phone }) => isDone(ask("POST", `${v3}/logout/all`, { token: phone }))],
  [
    "the removal of its device by another",
    ({ ask, phone }) =>
      isDone(ask("DELETE", `${v3}/devices/LAPTOP`, { token: phone, body: { auth: passwordAuth("alice") } })),
  ],
  [
    "a new password",
    ({ ask, phone }) =>
      isDone(
        ask("POST", `${v3}/account/password`, {
          token: phone,
          body: { new_password: "another password", auth: passwordAuth("alice") },
        }),
      ),
  ],
  [
    "the end of the account",
    ({ ask, phone }) =>
      isDone(
        ask("POST", `${v3}/account/deactivate`, { token: phone, body: { auth: passwordAuth("alice") } }),
      ),
  ],
  [
    "the revocation of its token",
    ({ ask, laptop }) =>
      isDone(ask("POST", "/_hearth/oauth/revoke", { body: new URLSearchParams({ token: laptop }) })),
  ],
  [
    "the locking of the account",
    ({ ask, owner, alice }) =>
      isDone(ask("PUT", `/_matrix/client/v1/admin/lock/${alice}`, { token: owner, body: { locked: true } })),
    { errcode: "M_USER_LOCKED", soft_logout: true },
  ],
  [
    "the locking of the account at the console",
    ({ ask, owner, alice }) =>
      isDone(ask("PUT", `/_hearth/v1/users/${alice}`, { token: owner, body: { locked: true } })),
    { errcode: "M_USER_LOCKED", soft_logout: true },
  ],
  [
    "the removal of its devices at the console",
    ({ ask, owner, alice }) => isDone(ask("DELETE", `/_hearth/v1/users/${alice}/devices`, { token: owner })),
  ],
  ["another login of its device", ({ login }) => login({ device_id: "LAPTOP" })],
  [
    "a logout by way of another service worker",
    ({ api, laptop }) => isDone(api()("POST", `${v3}/logout`, { token: laptop })),
  ],
  [
    "the end of its device by the homeserver itself",
    ({ node, alice }) => node.users.logout({ userId: alice, deviceId: "LAPTOP" } as never),
  ],
])("what waits is answered at once after %s", async (_, end, told = { errcode: "M_UNKNOWN_TOKEN" }) => {
  const t = await waiting();
  const answers = await t.poll(t.laptop);
  await end(t);
  for (const answer of await Promise.all(answers)) {
    expect(answer).toMatchObject({ status: 401, body: told });
  }
  // Nor does anything know the token that has been remembered.
  const after = await t.ask("GET", `${v3}/account/whoami`, { token: t.laptop });
  expect(after).toMatchObject({ status: 401, body: told });
});

describe("what waits as an application service", () => {
  test("is answered when the service is removed", async () => {
    const t = await waiting();
    await t.node.appServices.add(yamlOf({ url: null }));
    const answers = await t.poll(asToken);
    await t.node.appServices.remove("irc");
    for (const answer of await Promise.all(answers)) {
      expect(answer).toMatchObject({ status: 401, body: { errcode: "M_UNKNOWN_TOKEN" } });
    }
    expect((await t.ask("GET", `${v3}/account/whoami`, { token: asToken })).status).toBe(401);
  });
});

test("others that wait are not disturbed", async () => {
  const t = await waiting();
  const answers = await t.poll(t.phone);
  await isDone(t.ask("POST", `${v3}/logout`, { token: t.laptop }));
  // What they wait for: a room of alice's.
  await isDone(t.ask("POST", `${v3}/createRoom`, { token: t.phone, body: {} }));
  const [sync] = await Promise.all(answers.slice(0, 1));
  expect(sync).toMatchObject({ status: 200, body: { rooms: { join: expect.anything() } } });
});
