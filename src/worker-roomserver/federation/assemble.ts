import type { LinkHandler } from "../../link/api.ts";
import type { Destinations, FederationForOwner, KeyRing } from "./api.ts";
import { SigningClient } from "./client/client.ts";
import type { FederationContext, FederationOptions } from "./context.ts";
import { createDoor } from "./door/door.ts";
import type { Endpoint } from "./door/endpoint.ts";
import { checkingEvents } from "./keys/check-events.ts";
import { namedKeys } from "./keys/named-keys.ts";
import { ownServer } from "./own-server.ts";
import { transactionEndpoints } from "./transactions/endpoints.ts";

export type Federation = {
  answer: LinkHandler;
  forOwner: FederationForOwner;
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
  const endpoints: Endpoint[] = [...ownServer(context), ...transactionEndpoints(context)];
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
