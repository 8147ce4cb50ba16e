import { useEffect } from "react";

/*
 * Which rooms are looked at, in whichever tab: a tab holds a lock of the room's name while it has the focus and shows
 * the room. The browser takes it back when the tab goes, however that happens.
 */

const lockName = (scopePath: string, userId: string, roomId: string) =>
  `hearth-viewing:${scopePath}:${JSON.stringify([userId, roomId])}`;

/** The folder that this page is served from. */
export const scopePath = () => new URL("./", document.baseURI).pathname;

/** @returns once some tab looks at the room, or none does */
export async function isViewed(userId: string, roomId: string): Promise<boolean> {
  const { held } = await navigator.locks.query();
  return held?.some(({ name }) => name === lockName(scopePath(), userId, roomId)) ?? false;
}

/** Says that the room is looked at until it is told not to. */
export function startViewing(userId: string, roomId: string): () => void {
  const stop = new AbortController();
  const viewed = new Promise<void>((resolve) => {
    stop.signal.addEventListener("abort", () => resolve(), { once: true });
  });
  navigator.locks
    .request(lockName(scopePath(), userId, roomId), { mode: "shared", signal: stop.signal }, () => viewed)
    .catch((error: unknown) => {
      // It was no longer looked at before the lock was had.
      if (!stop.signal.aborted) console.warn("other tabs are not told which room is looked at", error);
    });
  return () => stop.abort();
}

/** While the room is shown, and somebody looks at the page. */
export function useViewing(userId: string | undefined, roomId: string | null): void {
  useEffect(() => {
    if (userId === undefined || roomId === null) return;
    let stop: (() => void) | undefined;
    const look = () => {
      const isLookedAt = document.visibilityState === "visible" && document.hasFocus();
      if (isLookedAt) stop ??= startViewing(userId, roomId);
      else {
        stop?.();
        stop = undefined;
      }
    };
    look();
    window.addEventListener("focus", look);
    window.addEventListener("blur", look);
    document.addEventListener("visibilitychange", look);
    return () => {
      stop?.();
      window.removeEventListener("focus", look);
      window.removeEventListener("blur", look);
      document.removeEventListener("visibilitychange", look);
    };
  }, [userId, roomId]);
}
