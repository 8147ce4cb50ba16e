import type { LinkHandler } from "../../link/api.ts";
import { later, lazily, once } from "../node/later.ts";
import type { FederationForOwner } from "./api.ts";
import type { FederationOptions } from "./context.ts";

const assembly = later(() => import("./assemble.ts"));

/** Federation before it is loaded, which a node needs only once it is open. */
export type LazyFederation = {
  /** Answers what other servers ask. */
  answer: LinkHandler;
  forOwner: FederationForOwner;
  /** Begins to send what waits, and to take in what has come. */
  start(): Promise<void>;
  close(): void;
};

export function openFederation(options: FederationOptions): LazyFederation {
  let isClosed = false;
  let close = () => {
    isClosed = true;
  };
  const whole = once(async () => {
    const federation = await (await assembly()).assembleFederation(options);
    if (isClosed) federation.close();
    close = () => federation.close();
    return federation;
  });
  return {
    answer: async (request, signal) => (await whole()).answer(request, signal),
    forOwner: lazily<FederationForOwner>(async () => (await whole()).forOwner),
    start: async () => (await whole()).start(),
    close: () => close(),
  };
}
