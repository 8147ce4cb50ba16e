import type { Account } from "./accounts.ts";

/** A relay as the homeserver describes it (`GET /_hearth/v1/relays`); `words` are for people. */
export type Relay = {
  url: string;
  name: string;
  added: "home" | "owner";
  connection: "connecting" | "connected" | "waiting" | "refused";
  words: string;
  client_api: boolean;
  names: string[];
  wake_up: boolean;
  wake_up_key?: string;
};

export type RelaysOfServer = {
  list(signal?: AbortSignal): Promise<Relay[]>;
  add(url: string): Promise<void>;
  remove(url: string): Promise<void>;
  retry(url: string): Promise<void>;
  setClientApi(url: string, open: boolean): Promise<void>;
  setWakeUp(url: string, subscription: PushSubscriptionJSON | null): Promise<void>;
};

/** What the server's owner asks of it about relays. Fails with an Error that says what the homeserver said. */
export function relaysOf(
  baseUrl: string,
  { accessToken }: Pick<Account, "accessToken">,
  fetch: typeof globalThis.fetch = (...request) => globalThis.fetch(...request),
): RelaysOfServer {
  const ask = async (method: string, path: string, body?: object, signal?: AbortSignal) => {
    const response = await fetch(`${baseUrl}/_hearth/v1/relays${path}`, {
      method,
      headers: { Authorization: `Bearer ${accessToken}` },
      ...(body && { body: JSON.stringify(body) }),
      ...(signal && { signal }),
    });
    const answer = (await response.json()) as { relays?: Relay[]; error?: string };
    if (!response.ok) throw new Error(answer.error ?? `The homeserver answered ${response.status}.`);
    return answer;
  };
  const named = (url: string) => `/${encodeURIComponent(url)}`;
  return {
    list: async (signal) => (await ask("GET", "", undefined, signal)).relays ?? [],
    add: async (url) => void (await ask("POST", "", { url })),
    remove: async (url) => void (await ask("DELETE", named(url))),
    retry: async (url) => void (await ask("POST", `${named(url)}/retry`)),
    setClientApi: async (url, open) => void (await ask("PUT", named(url), { client_api: open })),
    setWakeUp: async (url, subscription) => void (await ask("PUT", named(url), { wake_up: subscription })),
  };
}

/**
 * Asks the browser to be woken by a relay. Call it on a user gesture: browsers ask for permission.
 * @param wakeUpKey - the relay's key, as it describes itself
 * @throws Error where the browser does not allow it
 */
export async function subscribeToWakeUp(wakeUpKey: string): Promise<PushSubscriptionJSON> {
  const registration = await navigator.serviceWorker.ready;
  // A subscription is for one key: that of another relay gives way.
  await (await registration.pushManager.getSubscription())?.unsubscribe();
  const subscription = await registration.pushManager.subscribe({
    userVisibleOnly: true,
    applicationServerKey: wakeUpKey,
  });
  return subscription.toJSON();
}
