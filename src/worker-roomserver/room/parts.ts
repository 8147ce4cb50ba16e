import type { AccountDataForReaders } from "../account-data/api.ts";
import type { Answers } from "../node/answers.ts";
import type { KeyedLock } from "../node/keyed-lock.ts";
import type { Storage } from "../storage/api.ts";
import type { UsersForComponents } from "../users/api.ts";
import type { Directory } from "./directory.ts";
import type { EventStore } from "./event-store.ts";
import type { RemoteHistory } from "./history/api.ts";
import type { RoomInput } from "./input/api.ts";
import type { Memberships } from "./memberships.ts";
import type { OutOfBandMemberships } from "./out-of-band/api.ts";
import type { Author } from "./plan.ts";
import type { RemoteQuestions } from "./questions/api.ts";
import type { RecentEvents } from "./recent-events.ts";
import type { RelatedTargets } from "./related-targets.ts";
import type { RemoteRooms } from "./remote/api.ts";
import type { RoomHeads } from "./room-head.ts";
import type { SnapshotStore } from "./snapshots.ts";
import type { AuthGraphs } from "./state/auth-graphs.ts";
import type { Transactions } from "./transactions.ts";
import type { Visibility } from "./visibility.ts";
import type { RoomWriter } from "./writer.ts";

/** What the actions and queries of the room server work with. */
export type RoomParts = {
  storage: Storage;
  answers: Answers;
  users: UsersForComponents;
  accountData: Pick<AccountDataForReaders, "stored">;
  now: () => number;
  /** Of a room whose creator names none. */
  roomVersion: () => string;
  /** Milliseconds since 1970, never the same twice. */
  creationTime: () => number;
  author: Author;
  events: EventStore;
  recent: RecentEvents;
  relatedTargets: RelatedTargets;
  snapshots: SnapshotStore;
  memberships: Memberships;
  graphs: AuthGraphs;
  heads: RoomHeads;
  /** Held by who changes a room, by its id. */
  locks: KeyedLock<string>;
  /** Held by who annotates an event, by what makes two annotations the same. */
  annotationLocks: KeyedLock<string>;
  writer: RoomWriter;
  input: RoomInput;
  /** Invites and knocks of rooms that nobody from here is in. */
  outOfBand: OutOfBandMemberships;
  /** Other servers, for rooms that live there and users from there. */
  remote: RemoteRooms;
  /** Held by who joins a room over other servers, by the room's id: it is joined once. */
  entering: KeyedLock<string>;
  history: RemoteHistory;
  transactions: Transactions;
  visibility: Visibility;
  directory: Directory;
  questions: RemoteQuestions;
};
