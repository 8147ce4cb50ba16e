/*
 * What the room server's memory may come to: the sum of the limits of its caches, each with what an entry of it takes
 * in V8. test/worker-roomserver/room/cache-sizes.test.ts holds that the caches keep to their limits.
 */

const MB = 1_000_000;

const caches = {
  // 16,000,000 characters of JSON text; parsed and with what is known about it, an event takes five times that.
  events: 80 * MB,
  // 100,000 ids with their numbers, and 10,000 that are absent.
  eventIds: 13 * MB,
  // 100,000 names: one text, and two entries of maps.
  names: 15 * MB,
  // 1,000,000 entries each of snapshots, of the heads of rooms, and of resolved states: an entry of a map. The three
  // mostly hold the same ones, so they count once and a half.
  states: 60 * MB,
  // 100,000 memberships by user, 200,000 by room, 200,000 of users who share rooms.
  memberships: 40 * MB,
  authGraphs: 16 * MB,
  // 80,000 events that are awaited or missing, 20,000 that came last, 200,000 answers to transactions.
  others: 40 * MB,
};

/** Code, the log's tail, and what is between two collections. */
const BASE = 20 * MB;

/** Bytes of the worker's heap, with what it holds outside of it. */
export const memoryBound = BASE + Object.values(caches).reduce((sum, bytes) => sum + bytes, 0);
