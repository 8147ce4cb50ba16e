import type { Push, PushForReaders } from "./api.ts";
import type { PushOptions } from "./options.ts";
import { PushNotifications } from "./push.ts";

export function openPush(options: PushOptions): Push & PushForReaders & { close(): void } {
  return new PushNotifications(options);
}
