/** A signed request for a node that is away, whole, so that the node checks the signature itself. */
export type Mail = {
  /** The server that has signed it. */
  origin: string;
  /** Names the transaction among those of its origin. */
  txnId: string;
  method: string;
  /** Path and query, as they were signed. */
  uri: string;
  /** Each X-Matrix `Authorization` header. */
  authorization: string[];
  /** The body, byte for byte. */
  body: Uint8Array;
  /** Milliseconds since 1970, when the relay took it. */
  receivedAt: number;
  /**
   * Whether the relay has checked the origin's signature. What it could not check (the origin's keys could not be
   * fetched just then) has a smaller share of the space, and cannot pass for what the origin has really sent.
   */
  verified: boolean;
};

/** `id` counts up within one mailbox, and is never given twice. Safe as a JSON number. */
export type Entry = Mail & { id: number };

/**
 * `duplicate`: the same transaction of the same origin is kept already, or was taken out within the retention. What is
 * not verified makes nothing else a duplicate than a request that is the same in every byte.
 */
export type Put = "stored" | "duplicate" | "full";

/** `more`: whether there are entries after this one. */
export type Taken = { entry: Entry; more: boolean };

/** How much is kept for one node. */
export type Backlog = { entries: number; bytes: number };

/**
 * What is kept for nodes that are away, by their server names. What `put` has answered with `stored` is on the disk
 * (or with a majority of the cluster), and stays until it is acknowledged or too old.
 */
export type Mailbox = {
  put(owner: string, mail: Mail): Promise<Put>;
  /** The oldest entry whose id is greater than `after`. */
  next(owner: string, after: number): Promise<Taken | undefined>;
  /** Drops the entries of this owner up to and including this one. Never touches what others own. */
  acknowledge(owner: string, upTo: number): Promise<void>;
  backlog(owner: string): Promise<Backlog>;
  /**
   * Drops what was received before that moment. Returns how many entries. What was put after something that stays may
   * stay with it, where the relay's clock has gone back.
   */
  expire(before: number): Promise<number>;
};
