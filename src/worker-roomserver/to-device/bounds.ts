import type { ToDeviceKey } from "../storage/schema.ts";

/**
 * What may wait for one device, as weight: some 20,000 room keys of usual size, which a device that has been away for
 * months still finds, and as much of a browser's disk as one device may take. Servers with a disk of their own keep
 * everything; here, whoever may write to a user could fill the storage that all rooms are in.
 */
export const MAX_QUEUE_WEIGHT = 64 * 1024 * 1024;
/** A queue over its bound is brought down to this part of it, so that it is not looked at again at once. */
const LEFT = 0.9;
/** What a row takes beside its content. */
const ROW_BYTES = 1024;

/** @param contentBytes - of the content as JSON */
export const weightOf = (contentBytes: number) => contentBytes + ROW_BYTES;

/**
 * What has to go of a queue that is over its bound. Requests for keys go first, the oldest before the others: who still
 * lacks the key asks again. Then whoever sent most pays for it, so that a flood takes no room from what others sent,
 * and of each sender the oldest go.
 * @param queue - the keys of all that waits for a device, the oldest first
 * @returns those to remove; none for a queue within the bound
 */
export function excess(queue: readonly ToDeviceKey[], bound = MAX_QUEUE_WEIGHT): ToDeviceKey[] {
  let weight = queue.reduce((sum, key) => sum + weightIn(key), 0);
  if (weight <= bound) return [];
  const goal = bound * LEFT;
  const gone: ToDeviceKey[] = [];
  for (const key of queue) {
    if (weight <= goal) return gone;
    if (key[5] === 0) continue;
    gone.push(key);
    weight -= weightIn(key);
  }
  const left = queue.filter((key) => key[5] === 0);
  return [...gone, ...overShare(left, goal)];
}

/** The oldest of each sender who has more than a share of the goal that is even for all who want that much. */
function overShare(queue: readonly ToDeviceKey[], goal: number): ToDeviceKey[] {
  const sent = new Map<string, number>();
  for (const key of queue) sent.set(key[3], (sent.get(key[3]) ?? 0) + weightIn(key));
  const share = evenShare([...sent.values()], goal);
  const gone: ToDeviceKey[] = [];
  for (const key of queue) {
    const weight = sent.get(key[3])!;
    if (weight <= share) continue;
    sent.set(key[3], weight - weightIn(key));
    gone.push(key);
  }
  return gone;
}

/** The highest share with which all together have no more than the goal. */
function evenShare(wanted: readonly number[], goal: number): number {
  let left = goal;
  for (const [i, want] of wanted.toSorted((a, b) => a - b).entries()) {
    const share = left / (wanted.length - i);
    if (want > share) return share;
    left -= want;
  }
  return Number.POSITIVE_INFINITY;
}

const weightIn = (key: ToDeviceKey) => key[4];
