import { Failure } from "../support/steps.mjs";

/**
 * @typedef {{
 *   info(): Promise<{ server_name: string }>,
 *   ask(method: string, path: string, body?: object | string): Promise<any>,
 *   sleep(): Promise<void>,
 *   ended: Promise<never>,
 * }} HomeserverPage the page with the homeserver in it. ask: the owner's API (docs/administration.md); fails with a
 *   Failure whose cause is the errcode. ended: fails when it is over, with a Failure that says why
 *
 * @typedef {{ phase: string, detail?: string }} BootState as src/ui/boot/boot.ts has it
 * @typedef {{ status: number, text: string }} Answer
 * @typedef {{
 *   wishes: object,
 *   onState(state: BootState): void,
 *   ask(question: { method: string, target: string, body?: string }): Promise<Answer>,
 *   sleep(): Promise<void>,
 * }} HostMember `window.hearthHost`, the contract with src/ui/boot/host.ts
 * @typedef {Window & { hearthHost: HostMember, hearthHostState(state: BootState): Promise<void> }} HostedWindow
 */

/**
 * Opens the page, and waits until the homeserver runs in it.
 * @param {import("playwright-core").BrowserContext} browser
 * @param {string} origin - of the relay that serves it
 * @param {object} wishes - for the homeserver: HostWishes of src/worker-roomserver/node/host.ts
 * @returns {Promise<HomeserverPage>}
 * @throws {Failure}
 */
export async function openPage(browser, origin, wishes) {
  /** @type {(why: Failure) => void} */
  let fail = () => undefined;
  const ended = /** @type {Promise<never>} */ (
    new Promise((_, reject) => {
      fail = reject;
    })
  );
  // It may end before anybody waits for that.
  ended.catch(() => undefined);
  const gone = () => fail(new Failure("the browser has ended."));
  browser.once("close", gone);

  const page = browser.pages()[0] ?? (await browser.newPage());
  page.once("crash", () => fail(new Failure("the page has crashed.")));
  page.once("close", gone);
  /** @type {(value: void) => void} */
  let isReady = () => undefined;
  const ready = /** @type {Promise<void>} */ (
    new Promise((resolve) => {
      isReady = resolve;
    })
  );
  // To be there before the page is: what it says before that is heard by nobody, and it says it once.
  await browser.exposeBinding("hearthHostState", (_, /** @type {BootState} */ { phase, detail }) => {
    if (phase === "ready") isReady();
    else if (phase === "failed" || phase === "reload-needed")
      fail(new Failure(`the homeserver could not start. ${detail?.replace(/^Error: /, "")}`));
    // Two in one profile cannot be: the browser keeps them apart.
    else if (phase === "following") fail(new Failure("the homeserver runs in another page of this profile."));
  });
  await browser.addInitScript(introduce, { origin, wishes });
  await page.goto(`${origin}/`).catch((error) => {
    throw new Failure(`the page could not be loaded from ${origin}: ${String(error.message).split("\n")[0]}`);
  });
  await Promise.race([ready, ended]);
  await keepStorage(browser, page, origin);

  /** @type {HomeserverPage["ask"]} */
  const ask = async (method, target, body) => {
    const text = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
    const question = { method, target, ...(text !== undefined && { body: text }) };
    const answer = await page.evaluate(askInPage, question);
    const json = JSON.parse(answer.text);
    if (answer.status === 200) return json;
    throw new Failure(`${method} ${target}: ${json.error}`, { cause: json.errcode });
  };
  return {
    info: () => page.evaluate(async () => (await fetch("/_hearth/v1/info")).json()),
    ask,
    sleep: () =>
      page.evaluate(() => /** @type {HostedWindow} */ (/** @type {unknown} */ (window)).hearthHost.sleep()),
    ended,
  };
}

/**
 * Runs in the page, before its own scripts. No page of elsewhere is told anything.
 * @param {{ origin: string, wishes: object }} given
 */
function introduce({ origin, wishes }) {
  if (window !== window.top || window.location.origin !== origin) return;
  const page = /** @type {HostedWindow} */ (/** @type {unknown} */ (window));
  page.hearthHost = /** @type {HostMember} */ ({
    wishes,
    onState: (/** @type {BootState} */ state) => void page.hearthHostState(state),
  });
}

/**
 * Runs in the page.
 * @param {{ method: string, target: string, body?: string }} question
 */
function askInPage(question) {
  return /** @type {HostedWindow} */ (/** @type {unknown} */ (window)).hearthHost.ask(question);
}

/**
 * Has the browser promise to keep what the homeserver stores when the disk fills up: nobody is there to be asked.
 * @param {import("playwright-core").BrowserContext} browser
 * @param {import("playwright-core").Page} page
 * @param {string} origin
 */
async function keepStorage(browser, page, origin) {
  const session = await browser.newCDPSession(page);
  await session.send("Browser.setPermission", {
    permission: { name: "persistent-storage" },
    setting: "granted",
    origin,
  });
  const isKept = await page.evaluate(() => navigator.storage.persist());
  // The permission goes with the session; what was promised stays.
  await session.detach();
  if (!isKept) console.error("hearth: the browser may drop the homeserver's data when the disk is full");
}
