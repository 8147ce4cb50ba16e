import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BrowserContext, Page } from "playwright-core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { launchBrowser } from "./support/launch-browser.ts";
import { makeOtherServer, type OtherServer } from "./support/other-server.ts";
import { Person } from "./support/person.ts";
import { type RelayProcess, startRelay } from "./support/relay-process.ts";

/** Asks the homeserver as the page does. */
function api(page: Page, method: string, path: string, body?: object) {
  return page.evaluate(
    async ([method, path, body]) => {
      const token = window.hearthClient?.getAccessToken();
      const init = { method, headers: { Authorization: `Bearer ${token}` } };
      const response = await fetch(path, body === null ? init : { ...init, body: JSON.stringify(body) });
      return { status: response.status, json: await response.json() };
    },
    [method, path, body ?? null] as const,
  );
}

const relayState = async (page: Page) => {
  const { json } = await api(page, "GET", "/_hearth/v1/relays");
  return json.relays[0] ?? {};
};

/** Transactions that the homeserver has taken into its log. */
const mailIn = async (page: Page): Promise<number> => {
  const { json } = await api(page, "GET", "/_hearth/v1/log/entries?topic=mail&limit=100");
  return json.entries.length;
};

describe("a homeserver and the relay that has served it", () => {
  let folder: string;
  let relay: RelayProcess;
  let browser: BrowserContext;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "hearth-relay-"));
    relay = await startRelay(folder);
    browser = await launchBrowser();
  });
  afterEach(async () => {
    await browser.close();
    await relay.kill();
    await rm(folder, { recursive: true, force: true });
  });

  async function openPage(): Promise<Page> {
    const page = await browser.newPage();
    await page.goto(relay.url);
    return page;
  }
  const connected = (page: Page) =>
    expect.poll(() => relayState(page), { timeout: 30_000 }).toMatchObject({ connection: "connected" });

  /** `send` of the federation API. */
  function send(from: OtherServer, to: string, txnId: string) {
    const content = { origin: from.name, origin_server_ts: 1, pdus: [], edus: [] };
    return from.ask(relay, to, "PUT", `/_matrix/federation/v1/send/${txnId}`, content);
  }

  test("what others send arrives, whether the tab is open, closed, or the relay was killed meanwhile", async () => {
    const other = await makeOtherServer();
    let page = await openPage();
    const alice = new Person(page);
    await alice.signUp("alice", "");
    const name = (await alice.userId()).split(":")[1]!;
    await connected(page);
    expect((await relayState(page)).kind).toBe("webtransport");

    expect(await send(other, name, "awake")).toEqual({ status: 200, text: '{"pdus":{}}' });
    await expect.poll(() => mailIn(page)).toBe(1);
    const keys = await relay.ask(name, "GET", "/_matrix/key/v2/server");
    expect(JSON.parse(keys.text)).toMatchObject({ server_name: name });

    await page.close();
    // Nobody is there to answer such a question; the key document is known all the same.
    const question = "/_matrix/federation/v1/query/profile?user_id=x";
    await expect.poll(async () => (await relay.ask(name, "GET", question)).status).toBe(404);
    expect(JSON.parse((await relay.ask(name, "GET", "/_matrix/key/v2/server")).text)).toMatchObject({
      server_name: name,
    });
    expect((await send(other, name, "away")).status).toBe(200);
    expect((await send(other, name, "away")).status).toBe(200);
    await relay.kill();
    relay = await startRelay(folder, relay.port);
    expect((await send(other, name, "after")).status).toBe(200);

    page = await openPage();
    await page.getByTestId("room-list").waitFor();
    await connected(page);
    await expect.poll(() => mailIn(page)).toBe(3);
    // Taken once, and acknowledged: nothing comes again.
    expect((await send(other, name, "away")).status).toBe(200);
    expect((await send(other, name, "last")).status).toBe(200);
    await expect.poll(() => mailIn(page)).toBe(4);

    await relay.kill();
    relay = await startRelay(folder, relay.port);
    await expect.poll(async () => (await send(other, name, "again")).status).toBe(200);
    await expect.poll(() => mailIn(page), { timeout: 60_000 }).toBe(5);
  });

  test("a client elsewhere logs in through it, once the owner has opened the way", async () => {
    const page = await openPage();
    const alice = new Person(page);
    await alice.signUp("alice", "a password of hers");
    const roomId = await alice.createRoom("Garden");
    const name = (await alice.userId()).split(":")[1]!;
    await connected(page);
    const client = "/_matrix/client/v3";
    const login = () =>
      relay.ask(name, "POST", `${client}/login`, {
        body: JSON.stringify({
          type: "m.login.password",
          identifier: { type: "m.id.user", user: "alice" },
          password: "a password of hers",
        }),
      });
    expect((await login()).status).toBe(404);
    const { url } = await relayState(page);
    const path = `/_hearth/v1/relays/${encodeURIComponent(url)}`;
    expect((await api(page, "PUT", path, { client_api: true })).status).toBe(200);

    // The relay hears of it a moment after the owner.
    await expect.poll(async () => (await login()).status).toBe(200);
    const { text } = await login();
    // What it finds there leads to where it has come in.
    const wellKnown = JSON.parse((await relay.ask(name, "GET", "/.well-known/matrix/client")).text);
    expect(wellKnown["m.homeserver"].base_url).toBe(`http://${name}`);
    const metadata = JSON.parse((await relay.ask(name, "GET", "/_matrix/client/v1/auth_metadata")).text);
    expect(metadata.authorization_endpoint).toBe(`http://${name}/_hearth/oauth/authorize`);
    const signIn = await relay.ask(name, "GET", "/_hearth/oauth/device?user_code=");
    expect(signIn).toMatchObject({ status: 200, text: expect.stringContaining("<form") });
    const Authorization = `Bearer ${JSON.parse(text).access_token}`;
    const sent = await relay.ask(name, "PUT", `${client}/rooms/${roomId}/send/m.room.message/1`, {
      headers: { Authorization },
      body: JSON.stringify({ msgtype: "m.text", body: "from my phone" }),
    });
    expect(sent).toMatchObject({ status: 200 });
    await alice.sees("from my phone");
    const answer = await relay.ask(name, "GET", `${client}/sync?timeout=0`, { headers: { Authorization } });
    expect(answer.status).toBe(200);
    expect(answer.text).toContain("from my phone");
    // Whoever comes through the relay is not the owner's page, whatever account they have.
    const console = await relay.ask(name, "GET", "/_hearth/v1/relays", { headers: { Authorization } });
    expect(console.status).toBe(404);
  });

  test("when the browser is about to freeze the page mail is kept at once, and taken in when it goes on", async () => {
    const other = await makeOtherServer();
    const page = await openPage();
    const alice = new Person(page);
    await alice.signUp("alice", "");
    const name = (await alice.userId()).split(":")[1]!;
    await connected(page);
    // The relay cannot answer this for it.
    const isAway = async () =>
      (await relay.ask(name, "GET", "/_matrix/federation/v1/publicRooms")).text.includes(
        "This server is away",
      );
    expect(await isAway()).toBe(false);
    // Chromium freezes only what nobody sees, and Playwright has all pages seen: the events are made by hand.
    const browserSays = (type: "freeze" | "resume") =>
      page.evaluate((type) => document.dispatchEvent(new Event(type)), type);

    await browserSays("freeze");
    await expect.poll(isAway).toBe(true);
    expect(await send(other, name, "frozen")).toEqual({ status: 200, text: '{"pdus":{}}' });

    await browserSays("resume");
    await expect.poll(isAway).toBe(false);
    await expect.poll(() => mailIn(page)).toBe(1);
  });

  test("a push that comes while no tab is open is shown, once, however often it comes", async () => {
    await browser.grantPermissions(["notifications"], { origin: new URL(relay.url).origin });
    const page = await openPage();
    await new Person(page).signUp("alice", "");
    const [worker] = browser.serviceWorkers();
    // Chromium without a screen throws what it does not show yet out of its list when it is asked for the list.
    await worker!.evaluate(() => {
      const { registration } = globalThis as unknown as { registration: ServiceWorkerRegistration };
      const { showNotification } = ServiceWorkerRegistration.prototype;
      const shown = new Map<string, string>();
      registration.showNotification = async (title, options) => {
        await showNotification.call(registration, title, options);
        // One with the tag of another takes its place.
        shown.set(options?.tag ?? `without a tag ${shown.size}`, `${title}: ${options?.body}`);
        Object.assign(globalThis, { shownInTest: [...shown.values()], timesShown: timesShown() + 1 });
      };
      const timesShown = () => (Reflect.get(globalThis, "timesShown") as number | undefined) ?? 0;
    });
    // A page that keeps the browser open, and is none of Hearth's.
    const elsewhere = await browser.newPage();
    await elsewhere.goto(`${relay.url}_relay/v1/info`);
    const devTools = await browser.newCDPSession(elsewhere);
    const registered = new Promise<string>((resolve) => {
      devTools.on("ServiceWorker.workerRegistrationUpdated", ({ registrations }) => {
        const [first] = registrations;
        if (first !== undefined) resolve(first.registrationId);
      });
    });
    await devTools.send("ServiceWorker.enable");
    const registrationId = await registered;
    await page.close();

    const shown = () =>
      worker!.evaluate(() => ({
        shown: (Reflect.get(globalThis, "shownInTest") as string[] | undefined) ?? [],
        times: (Reflect.get(globalThis, "timesShown") as number | undefined) ?? 0,
      }));
    const { origin } = new URL(relay.url);
    const note = "Mail is waiting for your homeserver: Open Hearth to take it in.";
    await devTools.send("ServiceWorker.deliverPushMessage", { origin, registrationId, data: "" });
    await expect.poll(shown).toEqual({ shown: [note], times: 1 });
    await devTools.send("ServiceWorker.deliverPushMessage", { origin, registrationId, data: "" });
    await expect.poll(shown).toEqual({ shown: [note], times: 2 });
  });
});
