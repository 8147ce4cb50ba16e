import { namedFetch } from "../matrix/named-fetch.ts";
import type { Account } from "../state/accounts.ts";
import type { Session } from "../state/session.ts";
import type { Store } from "../state/store.ts";
import type { NotificationsSetting } from "./setting.ts";
import { isViewed, scopePath } from "./viewing.ts";
import { type Shade, type WatchSurroundings, watchAccount } from "./watch-account.ts";

/**
 * Shows notifications of all accounts of this browser while the setting says so. Of all tabs one does, which holds a
 * lock for it.
 */
export function startNotifier(session: Session, setting: Store<{ value: NotificationsSetting }>): void {
  let stop: AbortController | undefined;
  const follow = () => {
    const isOn = setting.get().value === "on";
    if (isOn && stop === undefined) {
      stop = new AbortController();
      void notifyUntil(session, stop.signal);
    } else if (!isOn) {
      stop?.abort();
      stop = undefined;
    }
  };
  setting.subscribe(follow);
  follow();
}

async function notifyUntil(session: Session, signal: AbortSignal): Promise<void> {
  try {
    await navigator.locks.request(`hearth-notifier:${scopePath()}`, { signal }, async () => {
      await watchAll(session, await surroundings(), signal);
    });
  } catch (error) {
    if (!signal.aborted) console.warn("no notifications are shown", error);
  }
}

async function surroundings(): Promise<WatchSurroundings> {
  return {
    baseUrl: new URL("./", document.baseURI).href.replace(/\/$/, ""),
    fetch: namedFetch,
    shade: shadeOf(await navigator.serviceWorker.ready),
    isViewed,
    pause: (ms, signal) =>
      new Promise((resolve) => {
        setTimeout(resolve, ms);
        signal.addEventListener("abort", () => resolve(), { once: true });
      }),
  };
}

/** Accounts come and go; each is watched while it is there. */
async function watchAll(session: Session, around: WatchSurroundings, signal: AbortSignal): Promise<void> {
  const watched = new Map<string, AbortController>();
  const follow = () => {
    const accounts = signal.aborted ? [] : session.store.get().accounts;
    const present = new Set(accounts.map(keyOf));
    for (const [key, stop] of watched) {
      if (present.has(key)) continue;
      stop.abort();
      watched.delete(key);
    }
    for (const account of accounts) {
      if (watched.has(keyOf(account))) continue;
      const stop = new AbortController();
      watched.set(keyOf(account), stop);
      void watchAccount(account, around, stop.signal);
    }
  };
  const unsubscribe = session.store.subscribe(follow);
  follow();
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
  unsubscribe();
  follow();
}

/** Another login of the same user has another token. */
const keyOf = ({ userId, accessToken }: Account) => `${userId} ${accessToken}`;

function shadeOf(registration: ServiceWorkerRegistration): Shade {
  return {
    show: ({ title, options }) => registration.showNotification(title, options),
    close: async (tag) => {
      for (const shown of await registration.getNotifications({ tag })) shown.close();
    },
  };
}
