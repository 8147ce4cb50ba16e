import type { JsonObject } from "../../../matrix/json.ts";
import type { EventNid } from "../../storage/schema.ts";

/** An event of a room's graph. Plain data: it crosses ports. */
export type GraphEvent = {
  eventId: string;
  type: string;
  sender: string;
  /** Of state events alone. */
  stateKey?: string;
  depth: number;
  /** Place in the timeline; 0 for what is in none. */
  order: number;
  /** `origin_server_ts`: milliseconds since 1970, as its server says. */
  ts: number;
  status: "accepted" | "rejected" | "soft-failed";
  /** Why it was rejected or soft-failed; "" for an accepted event. */
  reason: string;
  isOutlier: boolean;
  isRedacted: boolean;
  /** Whether some of its `prev_events` are not known here. */
  afterGap: boolean;
  /** Ids, also of events that are not known here. */
  prevEvents: string[];
  authEvents: string[];
};

/**
 * Where the next page of the graph starts: in the timeline by order, and among what is in no timeline by number. Null
 * where nothing is left.
 */
export type GraphPlace = { order: number | null; aside: EventNid | null };

export type EventGraphPage = {
  /** From the newest on. */
  events: GraphEvent[];
  /** The room's forward extremities, as they are now. */
  extremities: string[];
  /** Where to go on; absent at the end. */
  next?: GraphPlace;
};

/** What stands in a state, without its type and state key. */
export type StateContent = { eventId: string; sender: string; content: JsonObject };

/** An entry of the state around an event. */
export type StateAroundEntry = {
  type: string;
  stateKey: string;
  /** Undefined where the entry is not in the state before, or after. */
  before?: StateContent;
  after?: StateContent;
  /** Whether the two are not the same event. */
  isChanged: boolean;
};

export type StateAroundEvent = {
  eventId: string;
  /** False for outliers, whose place in the room's history is not known: there are no entries then. */
  isKnown: boolean;
  /** Of all pages. */
  count: number;
  /** What has changed comes first. */
  entries: StateAroundEntry[];
  /** Where to go on; absent at the end. */
  next?: number;
};
