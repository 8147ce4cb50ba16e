import type { ReceivedEvent } from "../../../matrix/received-event.ts";

/** What has become of an event. */
export type InputVerdict = { eventId: string } & (
  | { outcome: "accepted" }
  /** It is known here already. */
  | { outcome: "duplicate" }
  /**
   * `rejected`: nothing goes by it. `soft-failed`: the room's present state would not let it pass, so it is shown to
   * nobody, but others may build on it.
   */
  | { outcome: "rejected" | "soft-failed"; reason: string }
  /**
   * Nothing has been stored: these events must be there first. `prevEvents` may be taken in as events of their own, or
   * the state before this event be given instead.
   */
  | { outcome: "missing"; authEvents: string[]; prevEvents: string[]; stateEvents: string[] }
);

export type ReceiveOptions = {
  /**
   * `live` (the standard): the newest of the room. `history`: from before something that is known; it changes nothing
   * of where the room stands. `outlier`: known for what it authorises alone.
   */
  as?: "live" | "history" | "outlier";
  /**
   * By event id, the ids of the state before that event, as another server has told it: for events whose
   * `prev_events` are not to be had. Those that are known are heard as well. All of the state must be known here.
   */
  statesBefore?: { readonly [eventId: string]: readonly string[] };
  /**
   * Whether this server is to send the events to all others in the room, as one that answers `send_join`, `send_leave`
   * and `send_knock` does: what is told here alone. It stands in the log with the event.
   */
  passOn?: boolean;
  /**
   * Auth events that no server could give: events that cite them are rejected, instead of being "missing", and
   * judged again if they should come after all.
   */
  unobtainable?: readonly string[];
  /**
   * By event id, why a live event is not to be shown though nothing rejects it: the room's policy server does not
   * recommend it. It is soft-failed.
   */
  unwelcome?: { readonly [eventId: string]: string };
};

/** A room as the answer to a join gives it. */
export type WholeRoom = {
  version: string;
  /** The event that was sent: mostly a join. A room's create event begins a room with no state. */
  event: ReceivedEvent;
  /** The state before it, and all that authorises that, in any order. */
  state: readonly ReceivedEvent[];
  authChain: readonly ReceivedEvent[];
};

/**
 * The way in for events of other servers. They have been read by `readReceivedEvent`, and their signatures checked (of
 * a restricted join that of the authorising server too): finding keys takes requests, and the room server makes none.
 */
export interface RoomInput {
  /**
   * Takes in events of one room, in any order: what the others need comes first. Each is stored, in a unit of its own,
   * when this resolves; all that it leads to is in the log.
   *
   * Costs for each event one key looked up, and what its auth events, previous events and the states that these leave
   * take to read: nothing where they are in memory, as in a room that goes on in a line. A fork costs what its branches
   * differ in.
   * @returns a verdict for each, in the order given
   * @throws MatrixError M_NOT_FOUND (404) for a room that is not known here; 507 when the disk is full: what of the
   *   events has been stored is then found as "duplicate"
   * @see https://spec.matrix.org/v1.19/server-server-api/#checks-performed-on-receipt-of-a-pdu
   */
  receive(
    roomId: string,
    events: readonly ReceivedEvent[],
    options?: ReceiveOptions,
  ): Promise<InputVerdict[]>;

  /**
   * Takes in a room in one unit: all of it is there, or nothing. Of the state and the auth chain what does not pass its
   * own auth events is left out. For a room that is known here, what is new of these is stored first, as outliers that
   * nobody is shown, and then the event, with that state before it.
   *
   * Costs one row for each event and each member, and one pass over them in memory.
   * @returns the event's verdict; where it is not `accepted`, nothing has been stored of a room that was not known
   * @throws MatrixError M_UNSUPPORTED_ROOM_VERSION (400); M_BAD_JSON (400) for what is no room: no create event, or
   *   one of another room or version
   */
  takeInRoom(room: WholeRoom): Promise<InputVerdict>;
}
