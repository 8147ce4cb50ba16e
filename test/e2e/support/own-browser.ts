import { mkdir } from "node:fs/promises";
import type { BrowserContext, Page } from "playwright-core";
import type { Credentials } from "./device-page/device.ts";
import { bringDevices, type DeviceHandle } from "./devices.ts";
import { launchBrowser } from "./launch-browser.ts";
import { Person } from "./person.ts";

/** How the connection to the relay is, as the owner is told. */
export type Connection = { connection?: string; kind?: string };

/** Somebody's browser on a machine of their own, and the homeserver in it: it can be closed and opened again. */
export class OwnBrowser {
  readonly #profileDir: string;
  readonly #url: string;
  #opened: { context: BrowserContext; page: Page } | undefined;

  /**
   * @param profileDir - keeps what the browser stores
   * @param url - of the page, which is served with the devices of a test
   */
  constructor(profileDir: string, url: string) {
    this.#profileDir = profileDir;
    this.#url = url;
  }

  get page(): Page {
    if (this.#opened === undefined) throw new Error("the browser is closed");
    return this.#opened.page;
  }

  get person(): Person {
    return new Person(this.page);
  }

  async open(): Promise<void> {
    await mkdir(this.#profileDir, { recursive: true });
    const context = await launchBrowser({ profileDir: this.#profileDir });
    const page = await context.newPage();
    this.#opened = { context, page };
    await page.goto(this.#url);
    await bringDevices(page);
  }

  async close(): Promise<void> {
    await this.#opened?.context.close();
    this.#opened = undefined;
  }

  /**
   * Adds a device to an account.
   * @param comesAgain - whether it is to find its keys when the browser is opened again: only one can
   */
  logIn(username: string, name: string, comesAgain = false): Promise<DeviceHandle> {
    return this.page.evaluateHandle(
      async ([username, name, keeps]) => (await window.devices.logIn(username, name)).start(undefined, keeps),
      [username, name, comesAgain] as const,
    );
  }

  comeAgain(name: string, credentials: Credentials): Promise<DeviceHandle> {
    return this.page.evaluateHandle(
      async ([name, credentials]) => window.devices.comeAgain(name, credentials).start(undefined, true),
      [name, credentials] as const,
    );
  }

  /** Its first relay. @param token - an access token of the owner */
  relay(token: string): Promise<Connection> {
    return this.page.evaluate(async (token) => {
      const headers = { Authorization: `Bearer ${token}` };
      const response = await fetch("/_hearth/v1/relays", { headers });
      const { relays } = (await response.json()) as { relays?: { connection?: string; kind?: string }[] };
      return relays?.[0] ?? {};
    }, token);
  }
}
