import type { RemoteKeys } from "../../keys/api.ts";
import type { Nid } from "../../storage/schema.ts";
import type { OutgoingEdus, TakeEdu } from "../api.ts";
import type { FederationContext } from "../context.ts";
import { openRemoteKeys } from "../remote-keys/remote-keys.ts";
import { takingEdus } from "./incoming/take-edu.ts";
import { LoggedEdus } from "./outgoing/outgoing-edus.ts";
import { RoomServers } from "./room-servers.ts";

export type Edus = {
  /** For who sends. */
  outgoing: OutgoingEdus;
  /** For who receives. */
  take: TakeEdu;
  remoteKeys: RemoteKeys;
  /** Servers with users joined to a room, as far as it is on the disk. From memory as long as nobody comes or goes. */
  serversIn(room: Nid): Promise<ReadonlySet<string>>;
  start(): Promise<void>;
  close(): void;
};

/** What servers tell each other that is no event, both ways, and what they tell of their users' keys. */
export function openEdus(context: FederationContext): Edus {
  const servers = new RoomServers(context);
  const outgoing = new LoggedEdus({ ...context, servers });
  const remote = openRemoteKeys(context, servers);
  return {
    outgoing,
    take: takingEdus({ ...context, servers, userKeys: remote.lists }),
    remoteKeys: remote.forClients,
    serversIn: (room) => servers.in(room),
    start: () => remote.start(),
    close: () => {
      remote.close();
      outgoing.close();
      servers.close();
    },
  };
}
