import type { BrowserContext } from "playwright-core";
import { afterEach, beforeEach, describe, expect, inject, test } from "vitest";
import { launchBrowser } from "./support/launch-browser.ts";
import { Person } from "./support/person.ts";
import { type Watch, watchBrowser } from "./support/watch-browser.ts";

declare global {
  interface Window {
    /** For each time that the page asked for persistent storage: whether a user had just acted. */
    askedToPersist: boolean[];
  }
}

describe("a first visit", () => {
  const url = inject("distUrl");
  let context: BrowserContext;
  let watch: Watch;

  beforeEach(async () => {
    context = await launchBrowser();
    watch = watchBrowser(context, url);
  });
  afterEach(() => context.close());

  test("the homeserver answers without a reload, and only its own origin is asked", async () => {
    const page = await context.newPage();
    await page.goto(url);
    await page.locator('[data-testid="home-state"][data-phase="ready"]').waitFor();
    const answer = await page.evaluate(async () => {
      const response = await fetch("_matrix/client/versions");
      return { status: response.status, body: await response.json() };
    });
    expect(answer.status).toBe(200);
    expect(answer.body.versions).toContain("v1.11");
    expect(watch.errors).toEqual([]);
    expect(watch.foreignRequests).toEqual([]);
  });

  test("persistent storage is asked for when somebody signs up, and not before", async () => {
    await context.addInitScript(() => {
      window.askedToPersist = [];
      if (!isSecureContext) return; // the blank page before the first one has no storage
      const ask = navigator.storage.persist.bind(navigator.storage);
      navigator.storage.persist = () => {
        window.askedToPersist.push(navigator.userActivation.isActive);
        return ask();
      };
    });
    const page = await context.newPage();
    await page.goto(url);
    await page.locator('[data-testid="home-state"][data-phase="ready"]').waitFor();
    expect(await page.evaluate(() => window.askedToPersist)).toEqual([]);
    await new Person(page).signUp("alice", "");
    expect(await page.evaluate(() => window.askedToPersist)).toEqual([true]);
    expect(watch.errors).toEqual([]);
  });

  test("the manifest and every icon load", async () => {
    const page = await context.newPage();
    await page.goto(url);
    const href = await page.locator('link[rel="manifest"]').getAttribute("href");
    const manifestUrl = new URL(href ?? "", url);
    const manifest = await (await fetch(manifestUrl)).json();
    expect(manifest).toMatchObject({ name: expect.any(String), display: "standalone" });
    expect(new URL(manifest.start_url, manifestUrl).href).toBe(url);
    const linked = await page
      .locator('link[rel~="icon"], link[rel="apple-touch-icon"]')
      .evaluateAll((links) => links.map((link) => (link as HTMLLinkElement).href));
    const listed = manifest.icons.map((icon: { src: string }) => new URL(icon.src, manifestUrl).href);
    expect(listed).not.toEqual([]);
    for (const icon of new Set<string>([...linked, ...listed])) {
      const size = await page.evaluate(async (src) => {
        const image = new Image();
        image.src = src;
        await image.decode();
        return { width: image.naturalWidth, height: image.naturalHeight };
      }, icon);
      expect(size.width, icon).toBeGreaterThan(0);
      expect(size.height, icon).toBe(size.width);
    }
  });

  test("the page's policy lets no script, style or connection in from elsewhere", async () => {
    const page = await context.newPage();
    await page.goto(url);
    const violations = await page.evaluate(async () => {
      const seen: string[] = [];
      const violated = (count: number) =>
        new Promise<void>((resolve) => {
          document.addEventListener("securitypolicyviolation", ({ effectiveDirective }) => {
            if (seen.push(effectiveDirective) === count) resolve();
          });
        });
      const all = violated(4);
      const add = <K extends keyof HTMLElementTagNameMap>(
        tag: K,
        change: Partial<HTMLElementTagNameMap[K]>,
      ) => document.head.append(Object.assign(document.createElement(tag), change));
      add("script", { textContent: "document.title = 'taken over'" });
      add("script", { src: "http://127.0.0.1:9/script.js" });
      add("link", { rel: "stylesheet", href: "http://127.0.0.1:9/style.css" });
      await fetch("http://127.0.0.1:9/").catch(() => undefined);
      await all;
      return seen.sort();
    });
    expect(violations).toEqual(["connect-src", "script-src-elem", "script-src-elem", "style-src-elem"]);
    expect(await page.title()).toBe("Hearth");
  });
});
