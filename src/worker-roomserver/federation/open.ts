import type { LinkHandler } from "../../link/api.ts";
import type { RemoteMedia } from "../media/remote/api.ts";
import { later, lazily, once } from "../node/later.ts";
import type { RemoteQuestions } from "../room/questions/api.ts";
import type { RemoteProfiles } from "../users/remote/api.ts";
import type { FederationForOwner } from "./api.ts";
import type { FederationOptions } from "./context.ts";
import type { RoomPolicies } from "./policy/api.ts";

const assembly = later(() => import("./assemble.ts"));

/** Federation before it is loaded, which a node needs only once it is open. */
export type LazyFederation = {
  /** Answers what other servers ask. */
  answer: LinkHandler;
  forOwner: FederationForOwner;
  /** What others know, for components that have to ask them. */
  remoteQuestions: RemoteQuestions;
  remoteProfiles: RemoteProfiles;
  remoteMedia: RemoteMedia;
  policies: RoomPolicies;
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
    remoteQuestions: lazily<RemoteQuestions>(async () => (await whole()).remoteQuestions),
    remoteProfiles: lazily<RemoteProfiles>(async () => (await whole()).remoteProfiles),
    policies: lazily<RoomPolicies>(async () => (await whole()).policies),
    remoteMedia: lazily<RemoteMedia>(async () => (await whole()).remoteMedia),
    start: async () => (await whole()).start(),
    close: () => close(),
  };
}
