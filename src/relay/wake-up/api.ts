import type { WakeUpRequest } from "../../link/relay-api.ts";

export type Subscription = NonNullable<WakeUpRequest["subscription"]>;

/** Wakes nodes by Web Push. What is sent says that there is mail, and at which relay: nothing about it. */
export type WakeUp = {
  /** For `applicationServerKey`: base64url, 65 bytes. */
  readonly publicKey: string;
  /**
   * Keeps where a node is woken; null: nowhere any more.
   * @throws {MatrixError} M_INVALID_PARAM, for what is no subscription
   */
  subscribe(owner: string, subscription: Subscription | null): Promise<void>;
  isSubscribed(owner: string): Promise<boolean>;
  /**
   * Something is kept for this node, which is away. At most one push a minute comes of it: where one has just been
   * sent, the next one follows when the minute is over, if it is still needed then. Never fails; not to be waited for.
   */
  wake(owner: string): Promise<void>;
  /** Sends nothing more. */
  close(): void;
};
