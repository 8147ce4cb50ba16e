/*
 * What is measured in the worker, and what it says about it. All times are milliseconds.
 */

/**
 * `floor`: parsing, hashing and verifying the same events, and one write of their texts. `rooms`: the room server by
 * itself takes them in, as many at a time as are in a transaction. `measured`: from the opening of a whole node, whose
 * inbox has them as transactions, until the last one can be read by somebody.
 */
export type CatchUpTimes = { floor: number; rooms: number; measured: number };

/** From a message until all servers that answer have it: with all of them answering, and with some that hang. */
export type ManyServersTimes = { without: number; with: number };

/** By name, what the worker measures. */
export type Measurements = {
  catchUp: { argument: { events: number; members: number }; result: CatchUpTimes };
  manyServers: { argument: { servers: number; hanging: number; answerMs: number }; result: ManyServersTimes };
};
