import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from "vitest";
import { distFolder } from "../../scripts/support/dist.mjs";
import { serveFolder } from "../../scripts/support/static-server.mjs";
import { launchBrowser } from "./support/launch-browser.ts";

/*
 * What happens to requests as tabs and the service worker come and go. A page here is the real one, and asks
 * the client API with fetch, as any client in it would.
 */

const url = inject("distUrl");
let browser: BrowserContext;

beforeEach(async () => {
  browser = await launchBrowser();
});
afterEach(() => browser.close());

type Answer = { status: number; body: Record<string, unknown> };
type Asked = { method?: string; token?: string; body?: object };

/** Asks the client API from inside the page. */
function ask(page: Page, path: string, asked: Asked = {}): Promise<Answer> {
  return page.evaluate(
    async ([path, { method = "GET", token, body }]) => {
      const init: RequestInit = { method };
      if (token !== undefined) init.headers = { Authorization: `Bearer ${token}` };
      if (body !== undefined) init.body = JSON.stringify(body);
      const response = await fetch(new URL(`.${path}`, location.href), init);
      return { status: response.status, body: await response.json() };
    },
    [path, asked] as const,
  );
}

/** Opens the page, and waits until its homeserver answers. */
async function open(at = url): Promise<Page> {
  const page = await browser.newPage();
  await page.goto(at);
  await answering(page);
  return page;
}

async function answering(page: Page): Promise<void> {
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
  await expect.poll(async () => (await ask(page, "/_hearth/v1/info")).status, { timeout: 20_000 }).toBe(200);
}

async function info(page: Page): Promise<{ server_name: string; epoch: number }> {
  const { status, body } = await ask(page, "/_hearth/v1/info");
  expect(status).toBe(200);
  return body as { server_name: string; epoch: number };
}

async function register(page: Page, username: string): Promise<string> {
  const { status, body } = await ask(page, "/_matrix/client/v3/register", {
    method: "POST",
    body: { username, password: "correct horse battery", auth: { type: "m.login.dummy" } },
  });
  expect({ status, body }).toMatchObject({ status: 200 });
  return body.access_token as string;
}

async function createRoom(page: Page, token: string, name = ""): Promise<string> {
  const { status, body } = await ask(page, "/_matrix/client/v3/createRoom", {
    method: "POST",
    token,
    body: { creation_content: { "org.example.name": name } },
  });
  expect({ status, body }).toMatchObject({ status: 200 });
  return body.room_id as string;
}

const send = (page: Page, token: string, roomId: string, txnId: string) =>
  ask(page, `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/send/m.room.message/${txnId}`, {
    method: "PUT",
    token,
    body: { msgtype: "m.text", body: txnId },
  });

/** Bodies of the room's messages, oldest first. */
async function messages(page: Page, token: string, roomId: string): Promise<string[]> {
  const { body } = await ask(
    page,
    `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/messages?dir=f&limit=1000`,
    { token },
  );
  const chunk = body.chunk as { type: string; content: { body: string } }[];
  return chunk.filter(({ type }) => type === "m.room.message").map(({ content }) => content.body);
}

async function stopServiceWorkers(page: Page): Promise<void> {
  const session = await browser.newCDPSession(page);
  await session.send("ServiceWorker.enable");
  await session.send("ServiceWorker.stopAllWorkers");
  await session.detach();
}

describe("the service worker", () => {
  test("answers alone whether it is there", async () => {
    const page = await open();
    expect(await ask(page, "/_hearth/v1/health")).toEqual({ status: 200, body: { ok: true } });
  });

  test("finds its way back to the worker after it was stopped, any number of times", async () => {
    const page = await open();
    const token = await register(page, "alice");
    const roomId = await createRoom(page, token);
    const before = await info(page);
    for (const txnId of ["one", "two", "three"]) {
      await stopServiceWorkers(page);
      expect((await send(page, token, roomId, txnId)).status).toBe(200);
    }
    expect(await messages(page, token, roomId)).toEqual(["one", "two", "three"]);
    expect(await info(page)).toEqual(before);
  });

  test("may be stopped in mid-use: a message that is sent again under its transaction id is there once", async () => {
    const page = await open();
    const token = await register(page, "alice");
    const roomId = await createRoom(page, token);
    const txnIds = Array.from({ length: 40 }, (_, index) => `m${index}`);
    const sending = Promise.all(
      txnIds.map((txnId) => send(page, token, roomId, txnId).catch(() => send(page, token, roomId, txnId))),
    );
    await stopServiceWorkers(page);
    const answers = await sending;
    expect(answers.map(({ status }) => status)).toEqual(txnIds.map(() => 200));
    expect((await messages(page, token, roomId)).sort()).toEqual([...txnIds].sort());
  });

  test("serves the page without a network", async () => {
    const server = await serveFolder(distFolder, 0);
    const page = await open(server.url);
    const { server_name } = await info(page);
    await server.close();
    await page.reload();
    await answering(page);
    expect((await info(page)).server_name).toBe(server_name);
    // A page that is not in the shell leads back to this one.
    await page.goto(`${server.url}somewhere/else`);
    expect(page.url()).toBe(server.url);
  });
});

describe("the leading tab", () => {
  test("is one of two, and both are answered by it", async () => {
    const first = await open();
    const second = await open();
    expect(await info(second)).toEqual(await info(first));
  });

  test("is closed: the next one answers, from the same database", async () => {
    const first = await open();
    const token = await register(first, "alice");
    const roomId = await createRoom(first, token);
    const second = await open();
    const { epoch, server_name } = await info(first);
    await first.close();
    // Playwright's close does not wait for the tab's worker, which may answer a last request.
    await expect.poll(async () => (await info(second)).epoch).toBeGreaterThan(epoch);
    expect((await info(second)).server_name).toBe(server_name);
    expect((await send(second, token, roomId, "hello")).status).toBe(200);
  });

  test("is closed with requests under way: each is answered, and done once", async () => {
    const first = await open();
    const token = await register(first, "alice");
    const roomId = await createRoom(first, token);
    const second = await open();
    const txnIds = Array.from({ length: 60 }, (_, index) => `m${index}`);
    const sending = Promise.all(txnIds.map((txnId) => send(second, token, roomId, txnId)));
    const creating = Promise.all(["a", "b", "c", "d", "e"].map((name) => createRoom(second, token, name)));
    await first.close();
    expect((await sending).map(({ status }) => status)).toEqual(txnIds.map(() => 200));
    const created = await creating;
    expect((await messages(second, token, roomId)).sort()).toEqual([...txnIds].sort());
    const { body } = await ask(second, "/_matrix/client/v3/joined_rooms", { token });
    expect((body.joined_rooms as string[]).sort()).toEqual([roomId, ...created].sort());
  });

  test("changes many times, and nothing that was acknowledged is lost", async () => {
    let leading = await open();
    const token = await register(leading, "alice");
    const roomId = await createRoom(leading, token);
    const acknowledged: string[] = [];
    for (let change = 0; change < 4; change++) {
      const next = await open();
      const batch = Array.from({ length: 10 }, (_, index) => `c${change}m${index}`);
      const sending = Promise.all(batch.map((txnId) => send(next, token, roomId, txnId)));
      await leading.close();
      leading = next;
      expect((await sending).every(({ status }) => status === 200)).toBe(true);
      acknowledged.push(...batch);
    }
    expect((await messages(leading, token, roomId)).sort()).toEqual(acknowledged.sort());
  });

  test("is the only one and is reloaded: the same homeserver comes back", async () => {
    const page = await open();
    const token = await register(page, "alice");
    const roomId = await createRoom(page, token);
    await page.reload();
    await answering(page);
    const { body } = await ask(page, "/_matrix/client/v3/joined_rooms", { token });
    expect(body.joined_rooms).toEqual([roomId]);
  });
});

test("a shift-reload goes past the service worker, which claims the page", async () => {
  const page = await open();
  const { server_name } = await info(page);
  await page.addInitScript(() => {
    Object.assign(globalThis, { loadedPast: navigator.serviceWorker.controller === null });
  });
  const session = await browser.newCDPSession(page);
  const loaded = page.waitForEvent("load");
  await session.send("Page.reload", { ignoreCache: true });
  await loaded;
  expect(await page.evaluate(() => Reflect.get(globalThis, "loadedPast"))).toBe(true);
  await answering(page);
  expect((await info(page)).server_name).toBe(server_name);
});

describe("two folders of one origin", () => {
  let folder: string;
  let server: { url: string; close(): Promise<void> };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "hearth-"));
    await cp(distFolder, folder, { recursive: true });
    await cp(distFolder, join(folder, "inner"), { recursive: true });
    server = await serveFolder(folder, 0);
  });
  afterAll(async () => {
    await server.close();
    await rm(folder, { recursive: true });
  });

  test("are two homeservers", async () => {
    const outer = await open(server.url);
    const inner = await open(`${server.url}inner/`);
    const names = [(await info(outer)).server_name, (await info(inner)).server_name];
    expect(new Set(names).size).toBe(2);
    const { body } = await ask(inner, "/.well-known/matrix/client");
    expect(body).toEqual({ "m.homeserver": { base_url: `${server.url}inner` } });
  });
});
