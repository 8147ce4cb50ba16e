import type { LinkHandler } from "../../link/api.ts";
import type { RemoteKeys } from "../keys/api.ts";
import type { RemoteMedia } from "../media/remote/api.ts";
import type { RemoteHistory } from "../room/history/api.ts";
import type { RemoteQuestions } from "../room/questions/api.ts";
import type { RemoteRooms } from "../room/remote/api.ts";
import type { RemoteProfiles } from "../users/remote/api.ts";
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
import { mediaEndpoints } from "./media/endpoints.ts";
import { remoteMedia } from "./media/remote-media.ts";
import { ownServer } from "./own-server.ts";
import { remoteRooms } from "./perform/remote-rooms.ts";
import type { RoomPolicies } from "./policy/api.ts";
import { roomPolicies } from "./policy/room-policies.ts";
import { remoteProfiles } from "./queries/remote-profiles.ts";
import { remoteQuestions } from "./queries/remote-questions.ts";
import { roomEndpoints } from "./queries/room-endpoints.ts";
import { thirdPartyEndpoints } from "./queries/third-party-endpoints.ts";
import { userEndpoints } from "./queries/user-endpoints.ts";
import { makeReceiver } from "./receiver/make-receiver.ts";
import { rescinding } from "./receiver/rescinding.ts";
import { eventEndpoints } from "./rooms/event-endpoints.ts";
import { stateEndpoints } from "./rooms/state-endpoints.ts";
import { LogSender } from "./sender/sender.ts";
import { transactionEndpoints } from "./transactions/endpoints.ts";
import { sharingServers } from "./waking/sharing-servers.ts";
import { Waking } from "./waking/waking.ts";

export type Federation = {
  answer: LinkHandler;
  /** What other servers know and do, for the components that ask them. */
  remoteKeys: RemoteKeys;
  remoteRooms: RemoteRooms;
  remoteHistory: RemoteHistory;
  remoteQuestions: RemoteQuestions;
  remoteProfiles: RemoteProfiles;
  remoteMedia: RemoteMedia;
  policies: RoomPolicies;
  forOwner: FederationForOwner;
  /** There is a way to other servers that there was not. */
  wayIsOpen(): void;
  start(): Promise<void>;
  close(): void;
};

/** Puts federation together. */
export async function assembleFederation(options: FederationOptions): Promise<Federation> {
  const { serverName, ed25519, now } = options;
  const destinations = new StoredDestinations(options);
  const client = new SigningClient({ ...options, destinations });
  const keyRing = new ServerKeyRing({
    ...{ ...options, client },
    // A server names its relays in the document that its keys are in.
    onDocument: (server, document) => {
      sender.learnRelays(server, document).catch((error: unknown) => {
        console.warn(`hearth: relays of ${server} are not noted`, error);
      });
    },
  });
  const context: FederationContext = { ...options, client, keyRing, destinations };
  const edus = openEdus(context);
  const sender = new LogSender({ ...context, edus: edus.outgoing });
  const rooms = remoteRooms(context);
  const history = new FederationHistory(context);
  const policies = roomPolicies(context);
  const waking = new Waking({ ...context, servers: () => sharingServers(context, edus) });
  const receiver = makeReceiver(context, {
    takeEdu: edus.take,
    rescinded: rescinding(context),
    isInRoom: async ({ nid, roomId }) =>
      (await edus.serversIn(nid)).has(serverName) || options.outOfBand.isInRoom(roomId),
    joined: (roomId) => rooms.joined(roomId),
    isAllowed: (roomId, event) => policies.isAllowed(roomId, event),
  });
  const endpoints: Endpoint[] = [
    ...ownServer(context),
    ...notaryEndpoints({ ...context, keyRing }),
    ...transactionEndpoints(context, receiver),
    ...eventEndpoints(context),
    ...stateEndpoints(context),
    ...roomEndpoints(context),
    ...guestEndpoints(context),
    ...userEndpoints(context),
    ...thirdPartyEndpoints(context),
    ...mediaEndpoints(context),
  ];
  return {
    answer: createDoor({
      ...{ serverName, endpoints, keyRing, ed25519, now },
      heardFrom: (server) => {
        destinations.heardFrom(server);
        waking.heardFrom(server);
      },
    }),
    remoteKeys: edus.remoteKeys,
    remoteRooms: rooms,
    remoteHistory: history,
    remoteQuestions: remoteQuestions(context, (roomId, eventId) => history.event(roomId, eventId)),
    remoteProfiles: remoteProfiles(context),
    remoteMedia: remoteMedia(context),
    policies,
    forOwner: sender.forOwner,
    wayIsOpen: () => destinations.wayIsOpen(),
    start: async () => {
      await destinations.start();
      await edus.start();
      await sender.start();
      await receiver.start();
      waking.start();
    },
    close: () => {
      for (const part of [waking, receiver, sender, edus, destinations]) part.close();
    },
  };
}
