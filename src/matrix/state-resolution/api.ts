import type { AuthEvent } from "../auth-rules/auth-event.ts";

/*
 * What state resolution is given and what it gives back. Events are named by numbers ("nid"), of which only one thing
 * is asked: every auth event of an event has a lower number than the event itself. So walking numbers downwards
 * walks the auth chain in reverse topological order, without asking for a single event.
 */

export type EventNid = number;

/** A state event of the room, as resolution needs it. */
export type ResolvableEvent = AuthEvent & {
  readonly nid: EventNid;
  /** The auth events that are known here; from v12 on without the create event, as on the wire. */
  readonly authEvents: readonly EventNid[];
  /** Rejected when it came in: it authorises nothing. It is never part of a state set. */
  readonly rejected: boolean;
};

/** Who cites whom among a room's state events, in integers: a room of 50,000 members takes some megabytes. */
export interface AuthGraph {
  /** The auth events of a state event; empty for one that is not known. */
  authEventsOf(nid: EventNid): ArrayLike<EventNid>;
}

export type StateKey = readonly [type: string, stateKey: string];

/** A type and state key on which the state sets differ. */
export type ConflictedEntry = {
  readonly type: string;
  readonly stateKey: string;
  /** What each set has there, in the order of the sets; undefined where a set has nothing. */
  readonly events: readonly (EventNid | undefined)[];
};

/** Two or more states of a room. They are never copied out: what they share may be a hundred thousand entries. */
export type StateSets = {
  /** How many sets there are: the length of every `events`. */
  readonly count: number;
  readonly conflicted: readonly ConflictedEntry[];
  /** What all sets agree on. */
  readonly unconflicted: {
    /** What stands under each key, undefined where nothing is agreed on. Asked in few batches. */
    entries(keys: readonly StateKey[]): Promise<readonly (EventNid | undefined)[]>;
    /** Every entry's event, in no order. Read at most once a resolution, and not at all where it can be avoided. */
    events(): Iterable<EventNid>;
  };
};

/** Where events come from. */
export type ResolutionSource = {
  readonly graph: AuthGraph;
  /** Events in the order asked for. Asked in batches, and for each event at most once a resolution. */
  events(nids: readonly EventNid[]): Promise<readonly ResolvableEvent[]>;
};

/**
 * One entry of the resolved state that is not simply an unconflicted one: each conflicted entry (`event` undefined
 * where the resolved state has nothing there), and any that came in from the auth difference alone.
 */
export type ResolvedEntry = {
  readonly type: string;
  readonly stateKey: string;
  readonly event: EventNid | undefined;
};
