import type { Ed25519 } from "../../matrix/ed25519.ts";
import type { SigningKey } from "../../matrix/signing.ts";
import type { AppServiceNamespaces } from "../appservices/api.ts";
import type { PolicySigner } from "../federation/policy/api.ts";
import type { Answers } from "../node/answers.ts";
import { KeyedLock } from "../node/keyed-lock.ts";
import { later } from "../node/later.ts";
import type { Storage } from "../storage/api.ts";
import type { UsersForComponents } from "../users/api.ts";
import { Directory } from "./directory.ts";
import { EventStore } from "./event-store.ts";
import { noRemoteHistory, type RemoteHistory } from "./history/api.ts";
import { openRoomInput } from "./input/open.ts";
import { Memberships } from "./memberships.ts";
import { openOutOfBand } from "./out-of-band/open.ts";
import type { RoomParts } from "./parts.ts";
import { noRemoteQuestions, type RemoteQuestions } from "./questions/api.ts";
import { RecentEvents } from "./recent-events.ts";
import { RelatedTargets } from "./related-targets.ts";
import { noRemoteRooms, type RemoteRooms } from "./remote/api.ts";
import { RoomHeads } from "./room-head.ts";
import { SnapshotStore } from "./snapshots.ts";
import { AuthGraphs } from "./state/auth-graphs.ts";
import { Transactions } from "./transactions.ts";
import { Visibility } from "./visibility.ts";
import { RoomWriter } from "./writer.ts";

export type RoomPartsOptions = {
  storage: Storage;
  answers: Answers;
  users: UsersForComponents;
  accountData: RoomParts["accountData"];
  appServices: Pick<AppServiceNamespaces, "checkFree" | "findRoom">;
  now: () => number;
  /** Of rooms whose creators name none; asked each time. */
  roomVersion: () => string;
  serverName: string;
  key: SigningKey;
  ed25519: Ed25519;
  /** By default, there are no others. */
  remote?: RemoteRooms;
  /** By default, there are no other servers. */
  history?: RemoteHistory;
  /** What other servers know of rooms. Absent: there are none. */
  questions?: RemoteQuestions;
  /** How rooms' policy servers are asked. Absent: no room has any. */
  policies?: PolicySigner;
};

const removal = later(() => import("./purge/remove.ts"));
const forgetting = later(() => import("./perform/forget.ts"));

/** Puts together what the actions and queries of the room server work with. */
export function makeRoomParts(options: RoomPartsOptions): RoomParts {
  const { storage, answers, users, accountData, now, serverName, key, ed25519 } = options;
  const { remote = noRemoteRooms } = options;
  const events = new EventStore(storage);
  const snapshots = new SnapshotStore(storage);
  const memberships = new Memberships(storage);
  const recent = new RecentEvents(storage, (nid) => events.known(nid));
  const relatedTargets = new RelatedTargets(storage);
  const heads = new RoomHeads({ storage, events, recent, snapshots });
  const author = {
    serverName,
    key,
    ed25519,
    intern: (text: string) => storage.names.intern(text),
    newEvent: () => storage.newEvent(),
  };
  const graphs = new AuthGraphs(storage);
  const locks = new KeyedLock<string>();
  const shared = {
    storage,
    names: storage.names,
    events,
    snapshots,
    memberships,
    graphs,
    recent,
    relatedTargets,
    heads,
    locks,
  };
  const questions = options.questions ?? noRemoteQuestions;
  const parts: RoomParts = {
    storage,
    answers,
    users,
    accountData,
    now,
    roomVersion: options.roomVersion,
    creationTime: neverTwice(now),
    author,
    events,
    recent,
    relatedTargets,
    snapshots,
    memberships,
    heads,
    graphs,
    locks,
    annotationLocks: new KeyedLock<string>(),
    writer: new RoomWriter({ ...shared, author, ...(options.policies && { policies: options.policies }) }),
    input: openRoomInput({
      ...shared,
      author,
      now,
      ed25519,
      clear: async (roomId) => (await removal()).clearRoom(parts, roomId),
    }),
    outOfBand: openOutOfBand(() => parts),
    remote,
    entering: new KeyedLock<string>(),
    history: options.history ?? noRemoteHistory,
    transactions: new Transactions(storage, now),
    visibility: new Visibility({ storage, events, snapshots, memberships, users }),
    directory: new Directory({
      storage,
      answers,
      heads,
      serverName,
      appServices: options.appServices,
      questions,
      serversIn: async (roomId) => {
        const room = await storage.names.find(roomId);
        return room === undefined ? [] : memberships.servers(room);
      },
      onHidden: async (roomId) => (await forgetting()).removeForgotten(parts, roomId),
    }),
    questions,
  };
  return parts;
}

function neverTwice(now: () => number): () => number {
  let last = 0;
  return () => {
    last = Math.max(now(), last + 1);
    return last;
  };
}
