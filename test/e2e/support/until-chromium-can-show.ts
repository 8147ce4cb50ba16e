import type { Page } from "playwright-core";

/**
 * Chromium looks for a desktop to show notifications on when it is to show the first one. Until it has given up, it throws
 * what it is asked to list out of its list, as it is not on any screen. Of a page that may show them.
 */
export const untilChromiumCanShow = (page: Page) =>
  page.evaluate(async () => {
    const registration = await navigator.serviceWorker.ready;
    const listed = async () => (await registration.getNotifications({ tag: "first" })).at(0);
    const deadline = Date.now() + 20_000;
    for (let inARow = 0; inARow < 5; ) {
      if (Date.now() > deadline) throw new Error("nothing is shown by this browser");
      if ((await listed()) === undefined) {
        inARow = 0;
        await registration.showNotification("first", { tag: "first", silent: true });
      } else inARow += 1;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    (await listed())?.close();
  });
