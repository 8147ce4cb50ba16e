import type { Page } from "playwright-core";

type Version = { versionId: string; runningStatus: "stopped" | "starting" | "running" | "stopping" };

/**
 * Stops the running service worker as the browser does when it is idle, but in the midst of its work.
 * @param page - any page that it controls
 * @returns once it has stopped
 */
export async function stopServiceWorker(page: Page): Promise<void> {
  const session = await page.context().newCDPSession(page);
  const alive = new Set<string>();
  const stopped = new Promise<void>((resolve) => {
    session.on("ServiceWorker.workerVersionUpdated", ({ versions }: { versions: Version[] }) => {
      for (const { versionId, runningStatus } of versions) {
        if (runningStatus !== "stopped") alive.add(versionId);
        else if (alive.has(versionId)) resolve();
      }
    });
  });
  await session.send("ServiceWorker.enable");
  await session.send("ServiceWorker.stopAllWorkers");
  await stopped;
  await session.detach();
}
