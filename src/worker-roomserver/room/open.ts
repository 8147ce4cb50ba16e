import { later, lazily, once } from "../node/later.ts";
import type { RoomConsole, RoomDirectory } from "./api.ts";
import type { RoomInput } from "./input/api.ts";
import { makeRoomParts, type RoomPartsOptions } from "./make-parts.ts";
import type { OutOfBandMemberships } from "./out-of-band/api.ts";
import type { RoomParts } from "./parts.ts";
import { closePurged } from "./purge/close-purged.ts";
import type { RoomQueries } from "./query/graph/api.ts";
import { RoomServer, type RoomServerHooks } from "./room-server.ts";

export type OpenRooms = {
  room: RoomServer;
  roomInput: RoomInput;
  roomQueries: RoomQueries;
  roomDirectory: RoomDirectory;
  roomConsole: RoomConsole;
  outOfBand: OutOfBandMemberships;
  /** For what is done in calm moments (node/compactor.ts). */
  parts: RoomParts;
  /** Whether a room is still to be removed, which the leader before has not finished. */
  isPurging: boolean;
};

const further = later(() => import("./further.ts"));

/** Opens the room server: everything that others may ask of it, over the same parts. */
export async function openRooms(options: RoomPartsOptions & RoomServerHooks): Promise<OpenRooms> {
  const parts = makeRoomParts(options);
  // Before anything is read: what is being removed must not be found.
  const isPurging = await closePurged(parts);
  const room = new RoomServer(parts, options);
  return {
    room,
    roomInput: room.input,
    roomQueries: lazily(once(async () => (await further()).roomQueries(parts))),
    roomDirectory: lazily(once(async () => (await further()).roomDirectory(parts))),
    roomConsole: lazily(once(async () => (await further()).roomConsole(parts))),
    outOfBand: parts.outOfBand,
    parts,
    isPurging,
  };
}
