import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { BrowserContext } from "playwright-core";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { launchBrowser } from "./support/launch-browser.ts";
import { Person } from "./support/person.ts";

const password = "the password of alice";
// Appendix B of RFC 7636.
const verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

type Json = Record<string, string>;

/** An app on the same machine: it opens the user's browser, and listens for where that is sent. */
let app: Server;
let redirectUri: string;
let context: BrowserContext;
let alice: Person;

beforeAll(async () => {
  app = createServer((_, response) => {
    response.setHeader("Content-Type", "text/html");
    response.end("<!doctype html><title>The app</title><p>You are back.</p>");
  });
  await new Promise<void>((resolve) => app.listen(0, "127.0.0.1", resolve));
  redirectUri = `http://127.0.0.1:${(app.address() as AddressInfo).port}/callback`;
  context = await launchBrowser();
  const page = await context.newPage();
  await page.goto(inject("distUrl"));
  alice = new Person(page);
  await alice.signUp("alice", password);
});
afterAll(async () => {
  await context.close();
  app.closeAllConnections();
  await new Promise((resolve) => app.close(resolve));
});

/** What the app asks the homeserver, from alice's tab, as an app of its own could not reach it here. */
const ask = (
  path: string,
  init: { method?: string; token?: string; json?: object; form?: Json },
): Promise<Json> =>
  alice.page.evaluate(
    async ({ path, method = "GET", token, json, form }) => {
      const url = /^http/.test(path) ? path : new URL(path, location.href).href;
      const headers: Record<string, string> = token === undefined ? {} : { Authorization: `Bearer ${token}` };
      const body = form === undefined ? json && JSON.stringify(json) : new URLSearchParams(form);
      const response = await fetch(url, { method, headers, ...(body !== undefined && { body }) });
      return (await response.json()) as Json;
    },
    { path, ...init },
  );

test("an app logs in by the pages of a homeserver that lives in another tab", async () => {
  const server = await ask("./_matrix/client/v1/auth_metadata", {});
  const { client_id = "" } = await ask(server.registration_endpoint!, {
    method: "POST",
    json: {
      client_uri: "https://example.com/",
      client_name: "An app",
      application_type: "native",
      redirect_uris: ["http://127.0.0.1/callback"],
      grant_types: ["authorization_code", "refresh_token"],
    },
  });
  const query = new URLSearchParams({
    response_type: "code",
    client_id,
    redirect_uri: redirectUri,
    scope: "urn:matrix:client:api:* urn:matrix:client:device:DESKTOP",
    state: "a state",
    code_challenge: challenge,
    code_challenge_method: "S256",
  });

  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("console", (message) => complaints.push(message.text()));
  await page.goto(`${server.authorization_endpoint}?${query}`);
  await page.getByLabel("Username").fill("alice");
  await page.getByLabel("Password").fill("wrong");
  await page.getByRole("button", { name: "Continue" }).click();
  await page.getByRole("alert").waitFor();
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Continue" }).click();
  await page.getByText("An app").first().waitFor();
  await page.getByRole("button", { name: "Allow" }).click();
  await page.getByText("You are back.").waitFor();
  const answer = new URL(page.url());
  expect(`${answer.origin}${answer.pathname}`).toBe(redirectUri);
  expect(answer.searchParams.get("state")).toBe("a state");
  expect(complaints).toEqual([]);

  const form = {
    grant_type: "authorization_code",
    code: answer.searchParams.get("code") ?? "",
    client_id,
    redirect_uri: redirectUri,
    code_verifier: verifier,
  };
  const { access_token = "" } = await ask(server.token_endpoint!, { method: "POST", form });
  const who = await ask("./_matrix/client/v3/account/whoami", { token: access_token });
  expect(who).toMatchObject({ user_id: await alice.userId(), device_id: "DESKTOP" });
});
