import type { MatrixClient, MatrixError } from "matrix-js-sdk/lib/matrix.js";
import type { BrowserContext } from "playwright-core";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { launchBrowser } from "./support/launch-browser.ts";
import { Person } from "./support/person.ts";

const password = "the password of alice";

type Refusal = { status: number | undefined; errcode: string | undefined };
type LoggedIn = { userId: string; deviceId: string };

/** Asks for a token with the client of the person's tab, as the SDK's users do: once without `auth`, then with. */
function requestToken(person: Person): Promise<{ challenge: Refusal & { flows: unknown }; token: string }> {
  return person.page.evaluate(async (password) => {
    const client = window.hearthClient!;
    const { httpStatus, errcode, data } = await client.requestLoginToken().then(
      () => ({ httpStatus: 200, errcode: undefined, data: {} }),
      (error: MatrixError) => error,
    );
    const { session, flows } = data as { session?: string; flows?: unknown };
    const auth = {
      type: "m.login.password",
      identifier: { type: "m.id.user", user: client.getSafeUserId() },
      password,
      session,
    };
    const answer = await client.requestLoginToken(auth);
    if (!("login_token" in answer)) throw new Error("the password was not enough");
    return { challenge: { status: httpStatus, errcode, flows }, token: answer.login_token };
  }, password);
}

/** Logs in with a client of its own, which knows nothing but the token, and asks the homeserver who it is. */
function loginWith(person: Person, token: string): Promise<LoggedIn | Refusal> {
  return person.page.evaluate(async (token) => {
    const known = window.hearthClient!;
    const Client = known.constructor as typeof MatrixClient;
    const baseUrl = known.getHomeserverUrl();
    try {
      const { access_token } = await new Client({ baseUrl }).loginRequest({ type: "m.login.token", token });
      const { user_id, device_id } = await new Client({ baseUrl, accessToken: access_token }).whoami();
      return { userId: user_id, deviceId: device_id ?? "" };
    } catch (error) {
      const { httpStatus, errcode } = error as MatrixError;
      if (errcode === undefined) throw error;
      return { status: httpStatus, errcode };
    }
  }, token);
}

const devices = (person: Person): Promise<string[]> =>
  person.page.evaluate(async () => {
    const { devices } = await window.hearthClient!.getDevices();
    return devices.map((device) => device.device_id);
  });

/** Which leader this is: each takes a higher number than the one before. */
const epoch = (person: Person): Promise<number> =>
  person.page.evaluate(async () => {
    const response = await fetch(new URL("./_hearth/v1/info", location.href));
    return ((await response.json()) as { epoch: number }).epoch;
  });

/** The chapters build on one another. */
describe("a second device logs in with a token from the first", () => {
  let context: BrowserContext;
  let alice: Person;
  let token: string;

  beforeAll(async () => {
    context = await launchBrowser();
    const page = await context.newPage();
    await page.goto(inject("distUrl"));
    alice = new Person(page);
    await alice.signUp("alice", password);
  });
  afterAll(() => context.close());

  test("the first has to give the password for it", async () => {
    const asked = await requestToken(alice);
    expect(asked.challenge).toMatchObject({ status: 401, flows: [{ stages: ["m.login.password"] }] });
    token = asked.token;
  });

  test("the token outlives the page, and with it the leader that gave it out", async () => {
    const before = await epoch(alice);
    await alice.reload();
    expect(await epoch(alice)).toBeGreaterThan(before);
    const second = (await loginWith(alice, token)) as LoggedIn;
    expect(second.userId).toBe(await alice.userId());
    const all = await devices(alice);
    expect(all).toHaveLength(2);
    expect(all).toContain(second.deviceId);
  });

  test("it is good for one login, also after another reload", async () => {
    const refused: Refusal = { status: 403, errcode: "M_FORBIDDEN" };
    expect(await loginWith(alice, token)).toEqual(refused);
    await alice.reload();
    expect(await loginWith(alice, token)).toEqual(refused);
    expect(await devices(alice)).toHaveLength(2);
  });
});
