import type { BrowserContext } from "playwright-core";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { launchBrowser } from "./support/launch-browser.ts";
import { Person } from "./support/person.ts";
import { stopServiceWorker } from "./support/service-worker-stop.ts";

/** Paints a picture, uploads it with the client of the person's tab, and says where a page finds it. */
function uploadPicture(person: Person): Promise<{ picture: string; thumbnail: string; old: string }> {
  return person.page.evaluate(async () => {
    const client = window.hearthClient!;
    const canvas = new OffscreenCanvas(400, 300);
    canvas.getContext("2d")!.fillRect(0, 0, 200, 300);
    const blob = await canvas.convertToBlob({ type: "image/png" });
    const { content_uri } = await client.uploadContent(blob, { name: "picture.png" });
    const at = (authenticated: boolean, side?: number) =>
      client.mxcUrlToHttp(
        content_uri,
        side,
        side,
        side === undefined ? undefined : "crop",
        false,
        true,
        authenticated,
      )!;
    return { picture: at(true), thumbnail: at(true, 32), old: at(false) };
  });
}

/** How wide the page sees an image of that address, as it puts it into itself; 0 where it cannot be loaded. */
function widthIn(person: Person, address: string): Promise<number> {
  return person.page.evaluate(async (address) => {
    const image = new Image();
    const url = new URL(address);
    url.searchParams.set("timeout_ms", String(Math.floor(performance.now()))); // unlike any that is in memory
    image.src = url.href;
    await image.decode().catch(() => undefined);
    return image.naturalWidth;
  }, address);
}

describe("a page shows pictures that it has no token for", () => {
  let context: BrowserContext;
  let alice: Person;
  let addresses: Awaited<ReturnType<typeof uploadPicture>>;

  beforeAll(async () => {
    context = await launchBrowser();
    const page = await context.newPage();
    await page.goto(inject("distUrl"));
    alice = new Person(page);
    await alice.signUp("alice", "the password of alice");
    addresses = await uploadPicture(alice);
  });
  afterAll(() => context.close());

  const widths = async () => [
    await widthIn(alice, addresses.picture),
    await widthIn(alice, addresses.thumbnail),
    await widthIn(alice, addresses.old),
  ];

  test("as they are, small, and by their old addresses", async () => {
    expect(await widths()).toEqual([400, 32, 400]);
  });

  test("also after the browser has stopped the service worker", async () => {
    await stopServiceWorker(alice.page);
    expect(await widths()).toEqual([400, 32, 400]);
  });

  test("until it logs out", async () => {
    await alice.page.evaluate(() => window.hearthClient!.logout(true));
    expect(await widths()).toEqual([0, 0, 0]);
  });
});
