import { onTestFinished } from "vitest";
import { chooseEd25519 } from "../../../../../src/matrix/ed25519.ts";
import type { OutgoingEdus } from "../../../../../src/worker-roomserver/federation/api.ts";
import { LogSender } from "../../../../../src/worker-roomserver/federation/sender/sender.ts";
import type { CreateRoomBody } from "../../../../../src/worker-roomserver/room/api.ts";
import type { RoomInput } from "../../../../../src/worker-roomserver/room/input/api.ts";
import { roomQueries } from "../../../../../src/worker-roomserver/room/query/graph/queries.ts";
import type { Storage } from "../../../../../src/worker-roomserver/storage/api.ts";
import { testRooms } from "../../../support/room.ts";
import { TestDestinations } from "./destinations.ts";
import { type Life, mortalClient } from "./mortal.ts";
import { comesIn, membership } from "./remote-events.ts";
import { TestServers } from "./servers.ts";

export const noEdus: OutgoingEdus = {
  of: async () => [],
  messagesFor: async (_, upTo) => ({ edus: [], upTo, hasMore: false }),
  messagesTaken: () => undefined,
};

export type RigOptions = {
  /** A database that is there already: of the leader before. */
  name?: string;
  servers?: TestServers;
  destinations?: TestDestinations;
  edus?: (storage: Storage) => OutgoingEdus;
  assumedOfflineAfter?: number;
  now?: () => number;
  later?: (ms: number, call: () => void) => () => void;
  /** How long the leader lives. */
  life?: Life;
  /** What the sender sees of the storage. */
  seen?: (storage: Storage) => Storage;
};

export const HERE = "here.example";
let leaders = 0;

/** A sender over a room server of its own, among servers that take whatever they are sent. */
export async function senderRig(options: RigOptions = {}) {
  const { servers = new TestServers(), destinations = new TestDestinations() } = options;
  const made = await testRooms(options.name, HERE);
  const { storage, rooms, parts, user, request } = made;
  const queries = roomQueries(parts);
  const seen = options.seen?.(storage) ?? storage;
  const { life, later } = options;
  const reached = servers.client(destinations);
  leaders += 1;
  const sender = new LogSender({
    ...{ storage: seen, destinations, serverName: HERE, room: rooms, roomQueries: queries },
    ed25519: await chooseEd25519(crypto.subtle),
    client: life === undefined ? reached : mortalClient(reached, life),
    now: options.now ?? (() => 1_700_000_000_000),
    later: later ?? (() => () => undefined),
    // A clock that stands still, and a die that always falls alike, would be no proof of anything.
    random: () => leaders / 2 ** 20,
    edus: options.edus?.(storage) ?? noEdus,
    ...(options.assumedOfflineAfter !== undefined && { assumedOfflineAfter: options.assumedOfflineAfter }),
  });
  onTestFinished(() => sender.close());
  const room = { roomQueries: queries, roomInput: rooms.input };
  const alice = user("alice");
  return {
    ...{ sender, servers, destinations, storage, rooms, queries, alice, user },
    /** A public room of Alice's. */
    create: async (body: CreateRoomBody = {}) =>
      (await rooms.createRoom(request(), alice, { preset: "public_chat", ...body })).room_id,
    say: async (roomId: string, body: string) =>
      (
        await rooms.sendEvent(alice, {
          ...{ roomId, type: "m.room.message", txnId: request(), content: { body } },
        })
      ).event_id,
    setState: (roomId: string, type: string, content: Record<string, string | string[] | boolean>) =>
      rooms.setState(request(), alice, { roomId, type, stateKey: "", content }),
    act: (roomId: string, action: "kick" | "ban" | "leave" | "invite" | "join", target: string) =>
      rooms.changeMembership(request(), alice, { roomId, action, target }),
    joins: (roomId: string, userId: string, how: Parameters<RoomInput["receive"]>[2] = {}) =>
      comesIn(room, roomId, membership(userId, "join"), how),
    comesIn: (
      roomId: string,
      fields: Parameters<typeof comesIn>[2],
      how: Parameters<typeof comesIn>[3] = {},
    ) => comesIn(room, roomId, fields, how),
  };
}

export type Rig = Awaited<ReturnType<typeof senderRig>>;
