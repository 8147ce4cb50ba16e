import type { JsonObject } from "../../../../matrix/json.ts";
import type { Pdu } from "../../../../matrix/pdu.ts";
import type { EventNid, Membership } from "../../../storage/schema.ts";
import type { StoredEvent } from "../../api.ts";

/** An entry of a room's state. */
export type StateKey = readonly [type: string, stateKey: string];
/** An entry of a room's state, or all entries of a type. */
export type StatePattern = readonly [type: string, stateKey?: string];

/** What the next event of a room is made of. */
export type RoomFront = {
  roomVersion: string;
  /**
   * What the event is to name in its `prev_events`, the deepest first; never more than an event may name. Room versions
   * 1 and 2 refer to an event with its hash as well, which is made from its PDU.
   */
  extremities: { eventId: string; pdu: Pdu }[];
  /** The greatest depth among these; 0 where there is none. The event's own is one more. */
  depth: number;
  /** Of the entries asked for those that the room has. */
  state: StoredEvent[];
};

/** As `GET /state_ids` has it, with other names. */
export type StateIds = { pduIds: string[]; authChainIds: string[] };

export type StateNids = { pdus: EventNid[]; authChain: EventNid[] };

export type NearEvent = {
  eventId: string;
  /** Its `origin_server_ts`. */
  ts: number;
  /** Whether events right before or after it are not known here: then another server may know one that is nearer. */
  isNextToGap: boolean;
};

/** A member event that another server is to complete: with no id, hashes and signatures. */
export type MemberTemplate = { roomVersion: string; event: JsonObject };

/** What a server gets to know of a room that it joins. In the order in which the events became known here. */
export type JoinedState = {
  /** The state before the join: all of it, or most of it without members. */
  state: EventNid[];
  /** What authorises that, and the join; without what is in the state already, where members are left out of that. */
  authChain: EventNid[];
  /** Those that have users in the room, other than the one who joins. */
  servers: string[];
};

/** An event, and whether a server may see it whole. If not, it gets the event as redaction leaves it. */
export type ServerView = { event: StoredEvent; isVisible: boolean };

/**
 * Questions on a room's graph. They ask who asks nothing: whether the asker may know is for the caller to find out.
 * What is answered is on the disk, and plain data.
 *
 * Whoever is asked about a room that is not known here throws MatrixError M_NOT_FOUND (404), unless something else is
 * said. "Reads" are records that are not in memory.
 */
export interface RoomQueries {
  /** The room as it is, for an event that is to be built upon it. Reads two names and an event for each entry. */
  latest(roomId: string, keys: readonly StateKey[]): Promise<RoomFront>;

  /**
   * The state before or after an event; of a rejected one both are what was before it.
   * @param keys - what of it is asked for; all of it if left out
   * @returns in no order
   * @throws MatrixError M_NOT_FOUND (404) for an event that the room has not here, and for an outlier, at which the
   *   state is not known
   *
   * Reads the event, the records of one state (at most log2 of the number of changes that led to it), and the events
   * that are answered: for one entry fewer than 20, for a whole state as many as it has.
   */
  stateAt(
    roomId: string,
    eventId: string,
    at: { when: "before" | "after"; keys?: readonly StatePattern[] },
  ): Promise<StoredEvent[]>;

  /**
   * The ids of the state before an event and of all that authorises it.
   * @throws as stateAt does
   *
   * Reads each event once for its id, a thousand at a time. The auth chain itself is found in memory.
   * @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1state_idsroomid
   */
  stateIdsAt(roomId: string, eventId: string): Promise<StateIds>;

  /**
   * The same as numbers of events, for who writes a large state out with `texts`.
   * @throws as stateAt does
   *
   * Reads no events but the one. The auth chain is found in memory.
   */
  stateBefore(roomId: string, eventId: string): Promise<StateNids>;

  /**
   * Events of any room as JSON text, as other servers get them: an event of another server in that server's own words,
   * unless it has been redacted.
   * @throws MatrixError M_NOT_FOUND (404) if one of them has gone with its room
   *
   * One range of rows for events that came in together. Nothing is parsed or kept in memory: who writes out many asks
   * for some hundred at a time.
   */
  texts(nids: readonly EventNid[]): Promise<string[]>;

  /** The room's version. A name and a row. */
  versionOf(roomId: string): Promise<string>;

  /** A user's membership before and after an event; `leave` where there is none. Reads and throws as stateAt does. */
  membershipAt(
    roomId: string,
    eventId: string,
    userId: string,
  ): Promise<{ before: Membership; after: Membership }>;

  /**
   * All events that authorise the given ones, recursively, each once: first what others need. A given event is among
   * them if it authorises another. From room version 12 on the create event is in the chain of all others, though they
   * do not list it, as Synapse has it.
   * @throws MatrixError M_NOT_FOUND (404) if one of them is not known in the room
   *
   * Reads the events given and those answered. The chain is found in memory, in time in proportion to its length; but
   * what rejected events cite is read from them, of which it follows at most 1,000.
   * @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1event_authroomideventid
   */
  authChain(roomId: string, eventIds: readonly string[]): Promise<StoredEvent[]>;

  /** Events of any room, in the order asked for; undefined where one is not known. Throws nothing. One read each. */
  eventsById(eventIds: readonly string[]): Promise<(StoredEvent | undefined)[]>;

  /**
   * What comes right before `latest`, breadth-first, without `earliest` and what comes before those: the oldest first,
   * at most 20. Rejected events are left out, and outliers; ids that are not known in the room are ignored.
   * Reads at most 500 events, one generation at a time.
   * @see https://spec.matrix.org/v1.19/server-server-api/#post_matrixfederationv1get_missing_eventsroomid
   */
  missingEvents(
    roomId: string,
    query: { earliest: readonly string[]; latest: readonly string[]; limit: number; minDepth: number },
  ): Promise<StoredEvent[]>;

  /**
   * These events and those before them: the deepest first, at most 100. Rejected events are left out, and outliers; ids
   * that are not known in the room are ignored. Reads one stretch of the timeline, and at most 1,000 events beyond it.
   * @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1backfillroomid
   */
  backfill(roomId: string, query: { from: readonly string[]; limit: number }): Promise<StoredEvent[]>;

  /**
   * The event of the timeline whose time is nearest to `ts`: at or after it (`f`), or at or before it (`b`).
   * @param ts - milliseconds since 1970
   * @returns undefined if there is none on that side
   * @throws MatrixError M_INVALID_PARAM (400) if `ts` is no number
   *
   * Reads two events.
   * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1roomsroomidtimestamp_to_event
   */
  eventNear(roomId: string, ts: number, dir: "f" | "b"): Promise<NearEvent | undefined>;

  /**
   * Which of these events a server may see: it sees what any of its users could, under the room's history visibility.
   * An outlier is shown to all, as the state at it is not known and others need it to authorise what they see.
   * @returns in the order asked for, without what is not known in the room
   *
   * Reads each event and the states before them. Where history is not open, also member events of the server's users:
   * mostly a few, at most 1,000, past which nobody counts as joined. If none of its present members was there already,
   * it looks among those who have left too, of whom it reads at most 10,000 names.
   * @see https://spec.matrix.org/v1.19/client-server-api/#room-history-visibility
   */
  visibleToServer(roomId: string, serverName: string, eventIds: readonly string[]): Promise<ServerView[]>;

  /** The servers that have users joined to the room, each once. From memory; goes through all members. */
  serversIn(roomId: string): Promise<string[]>;

  /**
   * Whether a user of the server is joined to the room; of a room that is not known here, none is. From memory; goes
   * through the members up to the first such one.
   */
  isServerIn(roomId: string, serverName: string): Promise<boolean>;

  /** The rooms that both users are joined to, as far as this server knows. Throws nothing. From memory. */
  sharedRooms(userId: string, otherUserId: string): Promise<string[]>;

  /**
   * Whether the room's access control list lets a server take part. It can be asked for each PDU: from memory in a room
   * that events come into, and the list is gone through once for each server. Unlike the others it does not wait, and
   * goes by a list that is only just being written.
   * @see https://spec.matrix.org/v1.19/client-server-api/#server-access-control-lists-acls-for-rooms
   */
  isServerAllowed(roomId: string, serverName: string): Promise<boolean>;

  /**
   * What a join needs in a room that lets in the members of others: for `/make_join`.
   * @returns the member who is to be named in `join_authorised_via_users_server`; none where the join does without:
   *   the join rule is another, or the user is invited or joined. The auth rules are still to be asked.
   * @throws MatrixError M_FORBIDDEN (403) if the user is in none of the rooms; M_UNABLE_TO_AUTHORISE_JOIN (400) if
   *   there are rooms that this server does not know; M_UNABLE_TO_GRANT_JOIN (400) if nobody here may invite
   *
   * Reads the user's memberships, and the members of at most 50 rooms.
   * @see https://spec.matrix.org/v1.19/server-server-api/#restricted-rooms
   */
  restrictedJoin(roomId: string, userId: string): Promise<{ authorisedBy?: string }>;

  /**
   * The member event that lets a user of another server come in, ask for that, or leave: what the room's writer here
   * would make of it now. A join that needs somebody from here to authorise it names them.
   * @throws MatrixError M_FORBIDDEN (403) where the auth rules refuse it; for a join what restrictedJoin throws
   *
   * Reads the entries of the state that authorise it.
   */
  memberTemplate(
    roomId: string,
    userId: string,
    membership: "join" | "knock" | "leave",
  ): Promise<MemberTemplate>;

  /**
   * What the answer to a join has, as numbers: `RoomForReaders.events` has the events, as many at a time as one wants.
   * @param omitMembers - leaves out members, but for those that a client would name the room after
   * @throws as stateAt does
   *
   * Goes through the state and its auth chain in memory, and through all members for their servers. Reads up to twenty
   * member events for the names, and a name and two entries.
   * @see https://spec.matrix.org/v1.19/server-server-api/#put_matrixfederationv2send_joinroomideventid
   */
  joinedState(roomId: string, eventId: string, options: { omitMembers: boolean }): Promise<JoinedState>;
}
