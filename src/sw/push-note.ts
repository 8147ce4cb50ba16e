/**
 * What is shown when a relay has woken this browser. The relay knows that something waits and nothing of what it is; and a
 * service worker cannot open the homeserver, which takes a page. One tag: however often it comes, it is one notification.
 */
export const pushNote: Parameters<ServiceWorkerRegistration["showNotification"]> = [
  "Mail is waiting for your homeserver",
  { body: "Open Hearth to take it in.", tag: "hearth-mail", data: { mail: true } },
];
