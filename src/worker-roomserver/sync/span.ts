import { invalidParam } from "../../matrix/errors.ts";
import { parseSyncToken, type SyncPoint } from "../node/tokens.ts";
import type { Position } from "../storage/schema.ts";

/** The stretch of the log that one answer is about: `since < position <= upTo`. */
export type Span = { since: Position; upTo: Position };

/**
 * The point that a `since` stands for; undefined for one past the end of the log.
 *
 * Such a token was given out by this database before it was put back to an older backup. Clients keep asking with
 * the token that they have, so that an error would leave them stuck until their store is cleared by hand: they get
 * the whole of what there is instead, as on a first sync. A token that is malformed was never given out: that is
 * the client's mistake, and an error says so.
 * @throws MatrixError M_INVALID_PARAM
 */
export function parseSince(token: string, newest: Position, parameter = "since"): SyncPoint | undefined {
  const point = parseSyncToken(token, parameter);
  const { position } = point;
  if (!Number.isSafeInteger(position) || position < 0) {
    throw invalidParam(`"${parameter}" must be the "next_batch" of an earlier sync.`);
  }
  return position <= newest ? point : undefined;
}
