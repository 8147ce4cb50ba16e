import type { RemoteKeys } from "../../keys/api.ts";
import type { FederationContext } from "../context.ts";
import type { RoomServers } from "../edus/room-servers.ts";
import { claimRemote } from "./claim.ts";
import { RemoteLists } from "./lists.ts";
import { queryRemote } from "./query.ts";
import { Resync } from "./resync.ts";
import { SharingReader } from "./sharing-reader.ts";

export type RemoteKeysOfUsers = {
  /** For clients, by way of the component that keeps keys. */
  forClients: RemoteKeys;
  /** For EDUs of other servers. */
  lists: RemoteLists;
  /** Asks for what an earlier leader has left. */
  start(): Promise<void>;
  close(): void;
};

/** Puts together what is known, and asked, of keys of users of other servers. */
export function openRemoteKeys(context: FederationContext, servers: RoomServers): RemoteKeysOfUsers {
  const { storage, keys, ed25519, room, serverName, client, destinations, now, later } = context;
  const isShared = (userId: string) => servers.isSharedHere(userId);
  const lists = new RemoteLists({ storage, keys, ed25519, isShared });
  const resync = new Resync({ storage, client, destinations, ed25519, lists, later });
  const sharing = new SharingReader({ storage, room, servers, lists, serverName });
  return {
    forClients: {
      query: async (wanted, timeoutMs) => {
        await sharing.caughtUp(storage.position);
        return queryRemote({ client, lists, ed25519, isShared, now }, wanted, timeoutMs);
      },
      claim: (wanted, timeoutMs) => claimRemote({ client, now }, wanted, timeoutMs),
    },
    lists,
    start: () => resync.start(),
    close: () => {
      resync.close();
      sharing.close();
    },
  };
}
