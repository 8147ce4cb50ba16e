import type { LinkHandler } from "../../link/api.ts";
import type { RemoteKeys } from "../keys/api.ts";
import type { RemoteHistory } from "../room/history/api.ts";
import type { RemoteRooms } from "../room/remote/api.ts";
import type { FederationForOwner } from "./api.ts";
import { SigningClient } from "./client/client.ts";
import type { FederationContext, FederationOptions } from "./context.ts";
import { StoredDestinations } from "./destinations/destinations.ts";
import { createDoor } from "./door/door.ts";
import type { Endpoint } from "./door/endpoint.ts";
import { openEdus } from "./edus/edus.ts";
import { guestEndpoints } from "./guests/endpoints.ts";
import { FederationHistory } from "./history/history.ts";
import { ServerKeyRing } from "./keys/key-ring.ts";
import { notaryEndpoints } from "./keys/notary.ts";
import { ownServer } from "./own-server.ts";
import { remoteRooms } from "./perform/remote-rooms.ts";
import { makeReceiver } from "./receiver/make-receiver.ts";
import { rescinding } from "./receiver/rescinding.ts";
import { LogSender } from "./sender/sender.ts";
import { transactionEndpoints } from "./transactions/endpoints.ts";

export type Federation = {
  answer: LinkHandler;
  remoteKeys: RemoteKeys;
  rooms: RemoteRooms;
  history: RemoteHistory;
  forOwner: FederationForOwner;
  start(): Promise<void>;
  close(): void;
};

/** Puts federation together. */
export async function assembleFederation(options: FederationOptions): Promise<Federation> {
  const { serverName, ed25519, now } = options;
  const destinations = new StoredDestinations(options);
  const client = new SigningClient({ ...options, destinations });
  const keyRing = new ServerKeyRing({ ...options, client });
  const context: FederationContext = { ...options, client, keyRing, destinations };
  const edus = openEdus(context);
  const sender = new LogSender({ ...context, edus: edus.outgoing });
  const rooms = remoteRooms(context);
  const receiver = makeReceiver(context, {
    takeEdu: edus.take,
    rescinded: rescinding(context),
    joined: (roomId) => rooms.joined(roomId),
  });
  const endpoints: Endpoint[] = [
    ...ownServer(context),
    ...notaryEndpoints({ ...context, keyRing }),
    ...transactionEndpoints(context, receiver),
    ...guestEndpoints(context),
  ];
  return {
    answer: createDoor({
      ...{ serverName, endpoints, keyRing, ed25519, now },
      heardFrom: (server) => destinations.heardFrom(server),
    }),
    remoteKeys: edus.remoteKeys,
    rooms,
    history: new FederationHistory(context),
    forOwner: sender.forOwner,
    start: async () => {
      await destinations.start();
      await edus.start();
      await sender.start();
      await receiver.start();
    },
    close: () => {
      receiver.close();
      sender.close();
      edus.close();
      destinations.close();
    },
  };
}
