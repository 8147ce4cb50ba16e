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
