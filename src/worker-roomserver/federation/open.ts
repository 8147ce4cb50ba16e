import type { LinkHandler } from "../../link/api.ts";
import { later, lazily, once } from "../node/later.ts";
import type { Federation } from "./assemble.ts";
import type { FederationOptions } from "./context.ts";

const assembly = later(() => import("./assemble.ts"));

/** Parts that others call, whose methods all return promises. */
const PARTS = [
  "forOwner",
  "remoteKeys",
  "remoteRooms",
  "remoteHistory",
  "remoteQuestions",
  "remoteProfiles",
  "remoteMedia",
  "policies",
] as const;
type Parts = Pick<Federation, (typeof PARTS)[number]>;

/** Federation before it is loaded, which a node needs only once it is open. */
export type LazyFederation = Parts & {
  /** Answers what other servers ask. */
  answer: LinkHandler;
  /** Begins to send what waits, and to take in what has come. */
  start(): Promise<void>;
  /** There is a way to other servers that there was not. */
  wayIsOpen(): void;
  close(): void;
};

export function openFederation(options: FederationOptions): LazyFederation {
  let isClosed = false;
  let close = () => {
    isClosed = true;
  };
  // Before it is there, nobody was asked in vain.
  let wayIsOpen = (): void => undefined;
  const whole = once(async () => {
    const federation = await (await assembly()).assembleFederation(options);
    if (isClosed) federation.close();
    close = () => federation.close();
    wayIsOpen = () => federation.wayIsOpen();
    return federation;
  });
  const parts = PARTS.map((name) => [name, lazily(async (): Promise<object> => (await whole())[name])]);
  return {
    ...(Object.fromEntries(parts) as Parts),
    answer: async (request, signal) => (await whole()).answer(request, signal),
    start: async () => (await whole()).start(),
    wayIsOpen: () => wayIsOpen(),
    close: () => close(),
  };
}
