import type { LinkHandler } from "../../link/api.ts";
import type { RemoteMedia } from "../media/remote/api.ts";
import type { RemoteQuestions } from "../room/questions/api.ts";
import type { RemoteProfiles } from "../users/remote/api.ts";
import type { Destinations, FederationForOwner, KeyRing } from "./api.ts";
import { SigningClient } from "./client/client.ts";
import type { FederationContext, FederationOptions } from "./context.ts";
import { createDoor } from "./door/door.ts";
import type { Endpoint } from "./door/endpoint.ts";
import { checkingEvents } from "./keys/check-events.ts";
import { namedKeys } from "./keys/named-keys.ts";
import { mediaEndpoints } from "./media/endpoints.ts";
import { remoteMedia } from "./media/remote-media.ts";
import { ownServer } from "./own-server.ts";
import type { RoomPolicies } from "./policy/api.ts";
import { roomPolicies } from "./policy/room-policies.ts";
import { remoteProfiles } from "./queries/remote-profiles.ts";
import { remoteQuestions } from "./queries/remote-questions.ts";
import { roomEndpoints } from "./queries/room-endpoints.ts";
import { thirdPartyEndpoints } from "./queries/third-party-endpoints.ts";
import { userEndpoints } from "./queries/user-endpoints.ts";
import { eventEndpoints } from "./rooms/event-endpoints.ts";
import { stateEndpoints } from "./rooms/state-endpoints.ts";
import { transactionEndpoints } from "./transactions/endpoints.ts";

export type Federation = {
  answer: LinkHandler;
  forOwner: FederationForOwner;
  /** What others know, for components that have to ask them. */
  remoteQuestions: RemoteQuestions;
  remoteProfiles: RemoteProfiles;
  remoteMedia: RemoteMedia;
  policies: RoomPolicies;
  start(): Promise<void>;
  close(): void;
};

/** Puts federation together. */
export async function assembleFederation(options: FederationOptions): Promise<Federation> {
  const { serverName, ed25519, now } = options;
  const keyRing: KeyRing = { ...namedKeys, checkEvents: checkingEvents(namedKeys.keyFor, ed25519) };
  const destinations = unwatched;
  const client = new SigningClient({ ...options, destinations });
  const context: FederationContext = { ...options, client, keyRing, destinations };
  const endpoints: Endpoint[] = [
    ...ownServer(context),
    ...transactionEndpoints(context),
    ...eventEndpoints(context),
    ...stateEndpoints(context),
    ...roomEndpoints(context),
    ...userEndpoints(context),
    ...thirdPartyEndpoints(context),
    ...mediaEndpoints(context),
  ];
  return {
    answer: createDoor({
      ...{ serverName, endpoints, keyRing, ed25519, now },
      heardFrom: (server) => destinations.heardFrom(server),
    }),
    forOwner: {
      destinations: async () => [],
      retryNow: async () => undefined,
      setRelays: async () => undefined,
    },
    remoteQuestions: remoteQuestions(context, async () => false),
    remoteProfiles: remoteProfiles(context),
    remoteMedia: remoteMedia(context),
    policies: roomPolicies(context),
    start: async () => undefined,
    close: () => undefined,
  };
}

const unwatched: Destinations = {
  state: async (serverName) => ({
    ...{ serverName, failures: 0, failingSince: 0, retryAt: 0, lastSuccess: 0, lastError: "" },
  }),
  isReady: async () => true,
  succeeded: () => undefined,
  failed: () => undefined,
  heardFrom: () => undefined,
  retryNow: () => undefined,
  onReady: () => () => undefined,
  all: async () => [],
};
