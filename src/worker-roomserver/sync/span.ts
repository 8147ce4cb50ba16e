import { invalidParam } from "../../matrix/errors.ts";
import { parsePositionToken } from "../node/tokens.ts";
import type { Position } from "../storage/schema.ts";

/** The stretch of the log that one answer is about: `since < position <= upTo`. */
export type Span = { since: Position; upTo: Position };

/**
 * The position that a `since` stands for; undefined for one past the end of the log.
 *
 * Such a token was given out by this database before it was put back to an older backup. Clients keep asking with
 * the token that they have, so that an error would leave them stuck until their store is cleared by hand: they get
 * the whole of what there is instead, as on a first sync. A token that is malformed was never given out: that is
 * the client's mistake, and an error says so.
 * @throws MatrixError M_INVALID_PARAM
 */
export function parseSince(token: string, newest: Position): Position | undefined {
  const position = parsePositionToken(token, "since");
  if (!Number.isSafeInteger(position) || position < 0) {
    throw invalidParam('"since" must be the "next_batch" of an earlier sync.');
  }
  return position <= newest ? position : undefined;
}

/**
 * A token for `GET /messages` that stands right before the event of this order. History that is fetched later may
 * be put between an event and the one before it, with orders in between: it must be on the far side of the token.
 */
export function orderBefore(order: number): number {
  return order - Math.max(Math.abs(order), 1) * Number.EPSILON;
}
