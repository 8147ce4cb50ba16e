import { chooseEd25519 } from "../../../src/matrix/ed25519.ts";
import type { UserId } from "../../../src/matrix/identifiers.ts";
import type { JsonObject } from "../../../src/matrix/json.ts";
import { defaultRoomVersion } from "../../../src/matrix/room-versions.ts";
import { openAccountData } from "../../../src/worker-roomserver/account-data/open.ts";
import { Answers } from "../../../src/worker-roomserver/node/answers.ts";
import { openIdentity } from "../../../src/worker-roomserver/node/identity.ts";
import type { JsonBytes, Requester } from "../../../src/worker-roomserver/node/requester.ts";
import { makeRoomParts } from "../../../src/worker-roomserver/room/make-parts.ts";
import type { RoomParts } from "../../../src/worker-roomserver/room/parts.ts";
import { closePurged } from "../../../src/worker-roomserver/room/purge/close-purged.ts";
import { RoomServer } from "../../../src/worker-roomserver/room/room-server.ts";
import type { UsersForComponents } from "../../../src/worker-roomserver/users/api.ts";
import { noAppServices } from "./app-services.ts";
import { type TestStorage, testStorage } from "./storage.ts";

export type TestRooms = {
  storage: TestStorage;
  /** What the room server works with. */
  parts: RoomParts;
  rooms: RoomServer;
  serverName: string;
  /** A requester for the account of that localpart, with a device of its own. */
  user: (localpart: string, device?: string) => Requester;
  request: () => string;
  /** Whom users ignore, by their ids. */
  ignored: Map<string, Set<string>>;
};

/** Everybody has an account here, and their localpart for a name. */
const users: UsersForComponents = {
  findAccount: async () => undefined,
  isLocalAccount: (userId) => Promise.resolve(!userId.startsWith("@nobody:")),
  memberProfile: (userId) => Promise.resolve({ displayname: userId.slice(1, userId.indexOf(":")) }),
  erasedSince: () => undefined,
};

/**
 * A room server alone, over a database of its own or one that is there already.
 * @param called - its server name, where that is to be a certain one
 */
export async function testRooms(name?: string, called?: string): Promise<TestRooms> {
  const storage = await testStorage(name);
  const now = () => Date.now();
  const answers = await Answers.open(storage, now);
  const ed25519 = await chooseEd25519(crypto.subtle);
  const identity = await openIdentity(storage, ed25519);
  const serverName = called ?? identity.serverName;
  const { key } = identity;
  const accountData = openAccountData({ storage });
  const given = { storage, answers, users, accountData, now, serverName, key, ed25519 };
  const roomVersion = () => defaultRoomVersion;
  const parts = makeRoomParts({ ...given, roomVersion, appServices: noAppServices });
  await closePurged(parts);
  const ignored = new Map<string, Set<string>>();
  const rooms = new RoomServer(parts, {
    onActivity: () => undefined,
    ignoredBy: (userId) => Promise.resolve(ignored.get(userId) ?? new Set()),
  });
  return {
    storage,
    parts,
    rooms,
    serverName,
    ignored,
    user: (localpart, device = "D") => ({
      userId: `@${localpart}:${serverName}` as UserId,
      deviceId: `${localpart}-${device}`,
      kind: "user",
      admin: false,
    }),
    request: () => crypto.randomUUID(),
  };
}

/** What a JSON answer says. */
export function json(bytes: JsonBytes): JsonObject & { [key: string]: never } {
  return JSON.parse(new TextDecoder().decode(bytes)) as JsonObject & { [key: string]: never };
}
