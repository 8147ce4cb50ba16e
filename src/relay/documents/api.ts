/**
 * Small JSON documents that a relay (or all relays of a cluster) keeps: names and their keys, key documents, keys to
 * give out, wake-up subscriptions. Each at most 512 kB. What has been answered is on the disk.
 */
export type Documents = {
  read<T>(kind: string, key: string): Promise<T | undefined>;
  /**
   * Changes one document in one step: of two at the same time, one sees what the other has made.
   * @param change - pure, as it may be called again. `to: undefined` deletes the document; leaving it out changes nothing.
   */
  change<T, R>(
    kind: string,
    key: string,
    change: (now: T | undefined) => { to?: T | undefined; result: R },
  ): Promise<R>;
  /** Keys of a kind, sorted by code unit, greater than `after`. */
  list(kind: string, after: string, limit: number): Promise<string[]>;
};
