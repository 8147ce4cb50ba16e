import { storageKey } from "../state/storage-key.ts";
import { createStore } from "../state/store.ts";

/**
 * Whether this browser shows notifications of what is in the rooms of its accounts. `blocked`: they are wanted, and the
 * browser has been told not to. `unsupported`: it has none, or none here.
 */
export type NotificationsSetting = "off" | "on" | "blocked" | "unsupported";

export const notificationsSetting = createStore<{ value: NotificationsSetting }>({ value: "off" });

/** Of this browser, all accounts and all tabs: it is the browser that was given the permission. */
const key = () => storageKey("notifications");

/** Call it on a user gesture: the browser may ask whether it may. */
export async function turnNotificationsOn(): Promise<void> {
  if (!("Notification" in window)) return notificationsSetting.set({ value: "unsupported" });
  await Notification.requestPermission();
  localStorage.setItem(key(), "on");
  readNotificationsSetting();
}

export function turnNotificationsOff(): void {
  localStorage.removeItem(key());
  readNotificationsSetting();
}

/** Looks up what was chosen, here or in another tab. */
export function readNotificationsSetting(): void {
  const isWanted = localStorage.getItem(key()) === "on";
  if (!("Notification" in window)) notificationsSetting.set({ value: isWanted ? "unsupported" : "off" });
  else if (!isWanted) notificationsSetting.set({ value: "off" });
  else notificationsSetting.set({ value: Notification.permission === "granted" ? "on" : "blocked" });
}

/** Keeps the setting as the other tabs have it, too. */
export function followNotificationsSetting(): void {
  readNotificationsSetting();
  window.addEventListener("storage", (event) => {
    if (event.key === key() || event.key === null) readNotificationsSetting();
  });
}
