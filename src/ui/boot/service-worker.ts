/// <reference types="vite/client" />
import { Workbox } from "workbox-window";
import type { FromServiceWorker, ToServiceWorker } from "./messages.ts";

/** How long a page that was loaded past the service worker waits to be claimed by it. */
const claimWithinMs = 5_000;

/** Registers the service worker of this folder, or finds it registered. */
export async function registerServiceWorker(scope: URL): Promise<ServiceWorkerRegistration> {
  if (!("serviceWorker" in navigator)) {
    throw new Error(
      "This browser gives no service worker here. Hearth needs one: use a secure (https) address and no private window.",
    );
  }
  // In development the sources are served as they are, from the root of the origin.
  const workbox = import.meta.env.DEV
    ? new Workbox("/src/sw/main.ts", { type: "module", scope: scope.pathname })
    : new Workbox(new URL("sw.js", scope).href);
  const registration = await workbox.register({ immediate: true });
  if (registration === undefined) throw new Error("The service worker could not be registered.");
  return registration;
}

/**
 * Waits until this page's requests go through the service worker. The first load is claimed on activation; a
 * shift-reload goes past it, and has to ask.
 * @returns false when the page has not been claimed, and has to be loaded again
 */
export async function takenOver(registration: ServiceWorkerRegistration): Promise<boolean> {
  const container = navigator.serviceWorker;
  const active = await activated(registration);
  // Another Hearth may be served from a folder above this one, and have control until this one takes it.
  const isOurs = () => container.controller?.scriptURL === active.scriptURL;
  if (isOurs()) return true;
  return new Promise((resolve) => {
    const finish = (controlled: boolean) => {
      clearTimeout(timer);
      container.removeEventListener("controllerchange", onChange);
      resolve(controlled);
    };
    const onChange = () => {
      if (isOurs()) finish(true);
    };
    const timer = setTimeout(() => finish(isOurs()), claimWithinMs);
    container.addEventListener("controllerchange", onChange);
    tell(active, { type: "claim" });
  });
}

/** The registration's active service worker, once there is one. */
export function activated(registration: ServiceWorkerRegistration): Promise<ServiceWorker> {
  if (registration.active !== null) return Promise.resolve(registration.active);
  const coming = registration.installing ?? registration.waiting;
  if (coming === null) return Promise.reject(new Error("The service worker could not be installed."));
  return new Promise((resolve, reject) => {
    coming.addEventListener("statechange", () => {
      // Claiming comes with activation: the state "activated" would be later than needed.
      if (registration.active !== null) resolve(registration.active);
      else if (coming.state === "redundant") reject(new Error("The service worker could not be installed."));
    });
  });
}

export function tell(worker: ServiceWorker, message: ToServiceWorker, ports: MessagePort[] = []): void {
  worker.postMessage(message, ports);
}

/** Calls `listener` for what the service worker of this folder says, by whichever way it comes. */
export function onServiceWorkerMessage(
  channelName: string,
  listener: (message: FromServiceWorker) => void,
): void {
  const channel = new BroadcastChannel(channelName);
  channel.addEventListener("message", (event) => listener(event.data as FromServiceWorker));
  navigator.serviceWorker.addEventListener("message", (event) => listener(event.data as FromServiceWorker));
  navigator.serviceWorker.startMessages();
}
