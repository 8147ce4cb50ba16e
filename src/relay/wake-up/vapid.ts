import webPush from "web-push";
import type { Documents } from "../documents/api.ts";

export type VapidKeys = { publicKey: string; privateKey: string };

/** The relay's keys for push services, made once: subscriptions are bound to them (RFC 8292 section 4). */
export async function vapidKeys(documents: Documents): Promise<VapidKeys> {
  const made = webPush.generateVAPIDKeys();
  return documents.change<VapidKeys, VapidKeys>("wake-up-keys", "vapid", (now) =>
    now === undefined ? { to: made, result: made } : { result: now },
  );
}
