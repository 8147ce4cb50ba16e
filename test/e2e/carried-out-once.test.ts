import { expect, inject, test } from "vitest";
import { launchBrowser } from "./support/launch-browser.ts";
import { stopServiceWorker } from "./support/service-worker-stop.ts";

const STOPS = 10;

/** What the page has been told of the rooms that it asked for. */
type Tally = { made: string[]; failed: number; stop: boolean };
declare global {
  interface Window {
    tally: Tally;
  }
}

// Chromium gives a request that was under way when its service worker was stopped to the next one, as if it were new.
test("a request that is named is carried out once, though the service worker is stopped in the midst of it", async () => {
  const browser = await launchBrowser();
  try {
    const page = await browser.newPage();
    await page.goto(inject("distUrl"));
    const token = await page.evaluate(async () => {
      const container = navigator.serviceWorker;
      if (container.controller === null) {
        await new Promise((resolve) =>
          container.addEventListener("controllerchange", resolve, { once: true }),
        );
      }
      const body = JSON.stringify({
        username: "alice",
        password: "a long one",
        auth: { type: "m.login.dummy" },
      });
      for (;;) {
        const response = await fetch("/_matrix/client/v3/register", { method: "POST", body });
        if (response.ok) return ((await response.json()) as { access_token: string }).access_token;
      }
    });
    await page.evaluate((token) => {
      const tally: Tally = { made: [], failed: 0, stop: false };
      window.tally = tally;
      const maker = async () => {
        while (!tally.stop) {
          const response = await fetch("/_matrix/client/v3/createRoom", {
            method: "POST",
            headers: { Authorization: `Bearer ${token}`, "X-Hearth-Request": crypto.randomUUID() },
            body: "{}",
          }).catch(() => undefined);
          if (response?.ok) tally.made.push(((await response.json()) as { room_id: string }).room_id);
          else tally.failed += 1;
        }
      };
      for (let i = 0; i < 4; i++) void maker();
    }, token);
    for (let stop = 0; stop < STOPS; stop++) {
      const before = await page.evaluate(() => window.tally.made.length);
      await page.waitForFunction((before) => window.tally.made.length > before + 2, before);
      await stopServiceWorker(page);
    }
    const { made, failed, rooms } = await page.evaluate(async (token) => {
      window.tally.stop = true;
      const headers = { Authorization: `Bearer ${token}` };
      const response = await fetch("/_matrix/client/v3/joined_rooms", { headers });
      const { joined_rooms } = (await response.json()) as { joined_rooms: string[] };
      return { ...window.tally, rooms: joined_rooms };
    }, token);
    expect(new Set(made).size).toBe(made.length);
    expect(rooms).toEqual(expect.arrayContaining(made));
    // Those without an answer (and the four that are under way) may have been carried out, but none of them twice.
    expect(rooms.length).toBeLessThanOrEqual(made.length + failed + 4);
    expect(made.length).toBeGreaterThan(2 * STOPS);
  } finally {
    await browser.close();
  }
});
