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
