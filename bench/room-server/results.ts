/*
 * What is measured in the worker, and what it says about it. All times are milliseconds.
 */

/** `floor`: parsing, hashing and verifying the same events, and one write of their texts. */
export type Times = { floor: number; measured: number };

/**
 * `merge`: the event that merges a fork, from its text until it is durable. `cold`, `warm`: the resolution alone, with
 * nothing in memory and with the events in memory. `second`: the side of the fork that came second.
 */
export type MergeTimes = { floor: number; merge: number; cold: number; warm: number; second: number };

/**
 * A room, from the texts of the answer to its join: until all of them have been read and verified, are durable, and
 * are in their stores.
 */
export type BigNode = { floor: number; read: number; durable: number; stored: number };

/** Requests that read from IndexedDB, and how many rows and keys they gave. */
export type Reads = { requests: number; records: number };

/** By name, what the worker measures. */
export type Measurements = {
  joining: { argument: { members: number; rounds: number }; result: Times[] };
  replaying: {
    argument: { events: number; members: number; batch: number; rounds: number };
    result: Times[];
  };
  merging: { argument: { each: number; rounds: number }; result: MergeTimes[] };
  openBigNode: { argument: { members: number; smallRooms: number }; result: BigNode };
  readOldState: { argument: undefined; result: Reads };
};

export type FromWorker = { result: unknown } | { failure: string };
