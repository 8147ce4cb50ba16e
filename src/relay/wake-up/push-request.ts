import webPush from "web-push";
import { invalidParam } from "../../matrix/errors.ts";
import type { Hop } from "../egress/client.ts";
import type { Subscription } from "./api.ts";
import type { VapidKeys } from "./vapid.ts";

/** Seconds that a push service keeps it for a browser that is away: a later push takes its place anyhow. */
const timeToLive = 7 * 86_400;
const maxEndpoint = 2_048;

export type Sender = { keys: VapidKeys; contact: string; relayName: string };

/**
 * The push as a request to the push service, encrypted for the browser.
 * @throws Error where the subscription's keys are none
 * @see https://www.rfc-editor.org/rfc/rfc8030
 */
export function pushRequest({ keys, contact, relayName }: Sender, subscription: Subscription): Hop {
  const details = webPush.generateRequestDetails(subscription, JSON.stringify({ relay: relayName }), {
    vapidDetails: { subject: contact, ...keys },
    contentEncoding: "aes128gcm",
    TTL: timeToLive,
    urgency: "high",
    // Of several that wait at the push service, only the newest is delivered.
    topic: "mail",
  });
  const url = new URL(details.endpoint);
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const headers = Object.entries(details.headers)
    .map(([name, value]): [string, string] => [name.toLowerCase(), String(value)])
    .filter(([name]) => name !== "content-length");
  return {
    secure: true,
    host,
    port: Number(url.port) || 443,
    certificateFor: host,
    authority: url.host,
    method: "POST",
    path: `${url.pathname}${url.search}`,
    headers,
    body: { kind: "bytes", bytes: new Uint8Array(details.body ?? []) },
  };
}

/** @throws {MatrixError} M_INVALID_PARAM */
export function checkSubscription(sender: Sender, subscription: Subscription): Subscription {
  const { endpoint, keys } = subscription;
  const url = endpoint.length <= maxEndpoint ? URL.parse(endpoint) : null;
  if (url?.protocol !== "https:" || url.username !== "" || url.password !== "") {
    throw invalidParam("The endpoint of a push subscription has to be an https URL.");
  }
  const kept = { endpoint, keys: { p256dh: keys.p256dh, auth: keys.auth } };
  try {
    // Keys that are no point of the curve show only when something is encrypted for them.
    pushRequest(sender, kept);
  } catch {
    throw invalidParam("The keys of the push subscription are none.");
  }
  return kept;
}
