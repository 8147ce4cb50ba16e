import { invalidParam } from "../../matrix/errors.ts";
import type { Position } from "../storage/schema.ts";

/**
 * Tokens that clients hold. Sync tokens and timeline tokens are one kind, so that a `since` or `next_batch` also
 * serves as `from` of `/messages`: "h" and a log position, which for a timeline means: between the event of that
 * order and the next. Orders of history that was fetched later may be negative or fractional.
 */
export function positionToken(order: number | Position): string {
  return `h${order}`;
}

/** @throws MatrixError M_INVALID_PARAM if this is no token of ours */
export function parsePositionToken(token: string, parameter: string): number {
  const order = /^h-?\d{1,16}(\.\d{1,17})?$/.test(token) ? Number(token.slice(1)) : Number.NaN;
  if (!Number.isFinite(order)) {
    throw invalidParam(`"${parameter}" is not a token that this server has given out.`);
  }
  return order;
}

/**
 * What a token for `GET /messages` names that stands right before the event of this order. History that is fetched later may
 * be put between an event and the one before it, with orders in between: it must be on the far side of the token.
 */
export function orderBefore(order: number): number {
  return order - Math.max(Math.abs(order), 1) * Number.EPSILON;
}
