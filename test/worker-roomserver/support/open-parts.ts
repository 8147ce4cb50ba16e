import { chooseEd25519 } from "../../../src/matrix/ed25519.ts";
import type { UserId } from "../../../src/matrix/identifiers.ts";
import type { JsonObject } from "../../../src/matrix/json.ts";
import { Answers } from "../../../src/worker-roomserver/node/answers.ts";
import { openIdentity } from "../../../src/worker-roomserver/node/identity.ts";
import { KeyedLock } from "../../../src/worker-roomserver/node/keyed-lock.ts";
import type { JsonBytes, Requester } from "../../../src/worker-roomserver/node/requester.ts";
import type { CreateRoomBody, MembershipAction } from "../../../src/worker-roomserver/room/api.ts";
import { Directory } from "../../../src/worker-roomserver/room/directory.ts";
import { EventStore } from "../../../src/worker-roomserver/room/event-store.ts";
import { Awaited } from "../../../src/worker-roomserver/room/input/awaited.ts";
import { Gaps } from "../../../src/worker-roomserver/room/input/gaps.ts";
import { ExtremityMerger } from "../../../src/worker-roomserver/room/input/merge.ts";
import { RoomServerInput } from "../../../src/worker-roomserver/room/input/room-input.ts";
import { Memberships } from "../../../src/worker-roomserver/room/memberships.ts";
import type { RoomParts } from "../../../src/worker-roomserver/room/parts.ts";
import { createRoom } from "../../../src/worker-roomserver/room/perform/create-room.ts";
import { changeMembership } from "../../../src/worker-roomserver/room/perform/membership.ts";
import { setState } from "../../../src/worker-roomserver/room/perform/send.ts";
import { RecentEvents } from "../../../src/worker-roomserver/room/recent-events.ts";
import { RoomHeads } from "../../../src/worker-roomserver/room/room-head.ts";
import { SnapshotStore } from "../../../src/worker-roomserver/room/snapshots.ts";
import { AuthGraphs } from "../../../src/worker-roomserver/room/state/auth-graphs.ts";
import { StateResolver } from "../../../src/worker-roomserver/room/state/resolver.ts";
import { Transactions } from "../../../src/worker-roomserver/room/transactions.ts";
import { Visibility } from "../../../src/worker-roomserver/room/visibility.ts";
import { RoomWriter } from "../../../src/worker-roomserver/room/writer.ts";
import { type TestStorage, testStorage } from "./storage.ts";

/** A room server in its parts, for functions that work with these, and short ways to make rooms. */
export type OpenParts = {
  parts: RoomParts;
  storage: TestStorage;
  serverName: string;
  /** What `now` says. */
  clock: { now: number };
  request: () => string;
  user: (localpart: string) => Requester;
  create: (body?: CreateRoomBody, who?: string) => Promise<string>;
  act: (roomId: string, action: MembershipAction, who: string, target?: string) => Promise<unknown>;
  set: (
    roomId: string,
    type: string,
    content: JsonObject,
    stateKey?: string,
    who?: string,
  ) => Promise<unknown>;
  /** The content of an entry of the room's current state. */
  content: (roomId: string, type: string, stateKey?: string) => Promise<JsonObject | undefined>;
};

/** Over a database of its own or, by name, one that is there already. */
export async function openParts(name?: string): Promise<OpenParts> {
  const storage = await testStorage(name);
  const clock = { now: 1_700_000_000_000 };
  const now = () => clock.now;
  let created = clock.now;
  const answers = await Answers.open(storage, now);
  const ed25519 = await chooseEd25519(crypto.subtle);
  const { serverName, key } = await openIdentity(storage, ed25519);
  const { names } = storage;
  const events = new EventStore(storage);
  const snapshots = new SnapshotStore(storage);
  const memberships = new Memberships(storage);
  const recent = new RecentEvents(storage, (nid) => events.known(nid));
  const heads = new RoomHeads({ storage, events, recent, snapshots });
  const graphs = new AuthGraphs(storage);
  const resolver = new StateResolver({ storage, events, snapshots, graphs, ed25519 });
  const locks = new KeyedLock<string>();
  const author = {
    serverName,
    key,
    intern: (text: string) => names.intern(text),
    newEvent: () => storage.newEvent(),
  };
  const shared = { storage, names, events, snapshots, memberships, graphs, resolver, heads, locks };
  const merger = new ExtremityMerger({ ...shared, author, now });
  const awaited = new Awaited(storage);
  const parts: RoomParts = {
    ...shared,
    answers,
    users: {
      isLocalAccount: () => Promise.resolve(true),
      memberProfile: (userId) => Promise.resolve({ displayname: userId.slice(1, userId.indexOf(":")) }),
    },
    now,
    creationTime: () => ++created,
    author,
    recent,
    writer: new RoomWriter({ ...shared, author }),
    input: new RoomServerInput({ ...shared, ed25519, awaited, gaps: new Gaps(storage), merger }),
    transactions: new Transactions(storage, now),
    visibility: new Visibility({ names, events, snapshots, memberships }),
    directory: new Directory({ storage, answers, heads, serverName }),
  };
  const request = () => crypto.randomUUID();
  const user = (localpart: string): Requester => ({
    userId: `@${localpart}:${serverName}` as UserId,
    deviceId: `${localpart}-D`,
    kind: "user",
    admin: false,
  });
  return {
    parts,
    storage,
    serverName,
    clock,
    request,
    user,
    create: async (body = {}, who = "alice") => (await createRoom(parts, request(), user(who), body)).room_id,
    act: (roomId, action, who, target = who) =>
      changeMembership(parts, request(), user(who), { roomId, action, target: user(target).userId }),
    set: (roomId, type, content, stateKey = "", who = "alice") =>
      setState(parts, request(), user(who), { roomId, type, stateKey, content }),
    content: async (roomId, type, stateKey = "") =>
      (await (await heads.get(roomId)).state(type, stateKey))?.pdu.content,
  };
}

/** What a JSON answer says. */
export function said<T>(bytes: JsonBytes): T {
  return JSON.parse(new TextDecoder().decode(bytes)) as T;
}
