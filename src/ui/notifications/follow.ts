import { openRoom } from "../state/route.ts";
import type { Session } from "../state/session.ts";
import type { NoteData } from "./note.ts";
import { followNotificationsSetting, notificationsSetting } from "./setting.ts";

/** Shows notifications where they are wanted, and opens rooms whose notification was clicked. Call it once. */
export function followNotifications(session: Session): void {
  followNotificationsSetting();
  navigator.serviceWorker?.addEventListener("message", ({ data }: MessageEvent<unknown>) => {
    if (isClick(data)) void openFor(session, data);
  });
  let isStarted = false;
  const start = () => {
    // Most browsers are never asked to show any.
    if (isStarted || notificationsSetting.get().value !== "on") return;
    isStarted = true;
    import("./notifier.ts").then(
      ({ startNotifier }) => startNotifier(session, notificationsSetting),
      (error: unknown) => console.warn("no notifications are shown", error),
    );
  };
  notificationsSetting.subscribe(start);
  start();
}

/** The service worker has brought this tab forward for it. */
async function openFor(session: Session, { userId, roomId }: NoteData): Promise<void> {
  if (session.store.get().account?.userId !== userId) await session.switchTo(userId);
  openRoom(roomId);
}

function isClick(data: unknown): data is NoteData & { type: "openRoom" } {
  return typeof data === "object" && data !== null && "type" in data && data.type === "openRoom";
}
