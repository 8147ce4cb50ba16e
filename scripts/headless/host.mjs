import { mkdir } from "node:fs/promises";
import { Failure } from "../support/steps.mjs";
import { addressesAt } from "./addresses.mjs";
import { followAppServiceFiles } from "./app-service-files.mjs";
import { openBrowser } from "./browser.mjs";
import { openClientPort } from "./client-port.mjs";
import { openPage } from "./page.mjs";

/** Milliseconds for all that has to be there before the homeserver is. A cold start takes some seconds. */
const STARTS_WITHIN = 120_000;
/** Milliseconds in which a relay that is there has taken the session; without it, the homeserver works all the same. */
const CONNECTS_WITHIN = 15_000;
/** Milliseconds for relays to learn that the homeserver goes to sleep: without that, they notice a little later. */
const SLEEPS_WITHIN = 3_000;

/**
 * @typedef {{ url: string, connection: string }} RelayState
 * @typedef {{ server_name: string, client_api: string[], relays: RelayState[], pid: number }} Ready what is said of a
 *   homeserver that is up. client_api: where clients reach it, without a slash at the end; pid: of this process
 * @typedef {{ ready: Ready, ended: Promise<never>, close(): Promise<void> }} Host ended: fails when the homeserver ends by
 *   itself. close: puts it asleep, so that mail is kept for it, and ends the browser
 */

/**
 * Brings a homeserver up, with all that the options say.
 * @param {import("./options.mjs").HeadlessOptions} options
 * @param {Promise<unknown>} stopped - resolves when it is to be no more
 * @returns {Promise<Host | undefined>} undefined where it was stopped before it was up
 * @throws {Failure}
 */
export async function openHost(options, stopped) {
  /** What has to be ended, the last one first. @type {(() => Promise<void>)[]} */
  const endings = [];
  const close = async () => {
    for (const end of endings.splice(0).reverse()) await end();
  };
  try {
    const opening = withinTime(open(options, endings), STARTS_WITHIN, "The homeserver has not come up.");
    const opened = await Promise.race([opening, stopped.then(() => undefined)]);
    if (opened !== undefined) return { ...opened, close };
    // What is under way fails as the browser goes.
    opening.catch(() => undefined);
  } catch (error) {
    await close();
    throw error;
  }
  await close();
  return undefined;
}

/**
 * @param {import("./options.mjs").HeadlessOptions} options
 * @param {(() => Promise<void>)[]} endings
 * @returns {Promise<Omit<Host, "close">>}
 */
async function open(options, endings) {
  await mkdir(options.profile, { recursive: true });
  const browser = await openBrowser(options.profile);
  endings.push(() => browser.close());
  const [home = ""] = options.relays;
  const { serverName, settings } = options;
  const wishes = { settings, ...(serverName !== undefined && { serverName }) };
  const page = await openPage(browser, home, wishes);
  endings.push(() => within(page.sleep(), SLEEPS_WITHIN));
  // Whatever is waited for below may never come once the homeserver has ended.
  return Promise.race([furnish(options, page, endings), page.ended]);
}

/**
 * What is done by the owner's API, once the homeserver runs.
 * @param {import("./options.mjs").HeadlessOptions} options
 * @param {import("./page.mjs").HomeserverPage} page
 * @param {(() => Promise<void>)[]} endings
 */
async function furnish(options, page, endings) {
  const { server_name: serverName } = await page.info();
  if (options.owner) await makeOwner(page, options.owner);
  for (const url of options.relays) {
    await page.ask("POST", "/_hearth/v1/relays", { url });
    const path = `/_hearth/v1/relays/${encodeURIComponent(url)}`;
    await page.ask("PUT", path, { client_api: options.clientApi });
  }
  const files = await followAppServiceFiles(options, page);
  endings.push(async () => files.close());
  const relays = await connectedRelays(page, options.relays);
  const addresses = options.clientApi ? options.relays.flatMap((url) => addressesAt(url, serverName)) : [];
  if (options.clientListen) {
    const port = await openClientPort(options.clientListen, options.relays[0] ?? "", serverName);
    endings.push(() => port.close());
    addresses.unshift(port.url);
  }
  /** @type {Ready} */
  const ready = { server_name: serverName, client_api: addresses, relays, pid: process.pid };
  return { ready, ended: page.ended };
}

/**
 * @param {import("./page.mjs").HomeserverPage} page
 * @param {{ username: string, password: string }} owner
 */
async function makeOwner(page, { username, password }) {
  try {
    await page.ask("POST", "/_hearth/v1/users", { username, password, admin: true });
  } catch (error) {
    // As it should be, at any start but the first: the account stays as it is.
    if (!(error instanceof Failure && error.cause === "M_USER_IN_USE")) throw error;
  }
}

/**
 * Waits for the relays, though not for ever.
 * @param {import("./page.mjs").HomeserverPage} page
 * @param {string[]} wanted
 * @returns {Promise<RelayState[]>}
 */
async function connectedRelays(page, wanted) {
  const deadline = Date.now() + CONNECTS_WITHIN;
  for (;;) {
    const { relays } = await page.ask("GET", "/_hearth/v1/relays");
    /** @type {(RelayState & { words: string })[]} */
    const states = relays.filter((/** @type {RelayState} */ { url }) => wanted.includes(url));
    const isDecided = states.every(
      ({ connection }) => connection === "connected" || connection === "refused",
    );
    if (isDecided || Date.now() > deadline) {
      for (const { url, connection, words } of states) {
        if (connection !== "connected") console.error(`hearth: ${url}: ${words}`);
      }
      return states.map(({ url, connection }) => ({ url, connection }));
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/**
 * @param {Promise<unknown>} work
 * @param {number} ms
 */
async function within(work, ms) {
  let timer;
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  // What it fails with, it fails with as the browser is gone already.
  await Promise.race([work.catch(() => undefined), late]);
  clearTimeout(timer);
}

/**
 * @template T
 * @param {Promise<T>} work
 * @param {number} ms
 * @param {string} complaint
 * @returns {Promise<T>}
 */
async function withinTime(work, ms, complaint) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Failure(`${complaint} (${ms / 1000} s)`)), ms);
  });
  try {
    return await Promise.race([work, /** @type {Promise<never>} */ (late)]);
  } finally {
    clearTimeout(timer);
  }
}
