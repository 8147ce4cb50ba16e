import { unknown } from "../../matrix/errors.ts";

/** Another leader has taken over: nothing was written, and nothing more will be. The request may be sent to it. */
export class LeaderFenced extends Error {
  override readonly name = "LeaderFenced";
  constructor() {
    super("Another tab has become the leader of this homeserver.");
  }
}

/** A commit before this one failed, so what this one was based on is void. Safe to try again. */
export class CommitSuperseded extends Error {
  override readonly name = "CommitSuperseded";
  constructor() {
    super("An earlier write failed; this one was based on it and has not been made.");
  }
}

/** What the disk has said to a write, as a client is told of it. */
export function storageError(cause: unknown): Error {
  const name = cause instanceof Error || cause instanceof DOMException ? cause.name : "";
  if (name === "QuotaExceededError") {
    return unknown("This homeserver's storage is full. Free some disk space, or remove rooms or media.", 507);
  }
  const why = cause instanceof Error ? cause.message : String(cause);
  return unknown(`The database did not take the write: ${why}`, 500);
}
