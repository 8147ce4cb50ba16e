import type { Position } from "../../storage/schema.ts";
import type { PushOptions } from "../options.ts";
import type { UnreadStore } from "../unread-store.ts";
import type { PusherKey } from "./pusher-key.ts";

export type PushersOptions = Pick<
  PushOptions,
  "storage" | "room" | "devices" | "egress" | "now" | "later" | "random"
> & {
  unread: UnreadStore;
  caughtUp: (position: Position) => Promise<void>;
};

export type DeliveryOptions = PushersOptions & {
  /** Removes a pusher that its gateway does not know any more. */
  rejected: (key: PusherKey) => Promise<void>;
};
