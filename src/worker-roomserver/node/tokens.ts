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

/** What a token of sync names. */
export type SyncPoint = {
  position: Position;
  /** Up to where the client has what was sent to its device; before `position` where more is waiting for it. */
  toDevice: Position;
};

/**
 * `next_batch` of a sync: "_" and a second position follow where messages to the device are left. As a place in a
 * timeline it means the same with and without them.
 */
export function syncToken({ position, toDevice }: SyncPoint): string {
  return toDevice < position ? `${positionToken(position)}_${toDevice}` : positionToken(position);
}

const grammar = /^h(-?\d{1,16}(?:\.\d{1,17})?)(?:_(\d{1,16}))?$/;

/** @throws MatrixError M_INVALID_PARAM if this is no token of ours */
export function parsePositionToken(token: string, parameter: string): number {
  return parseSyncToken(token, parameter).position;
}

/** @throws MatrixError M_INVALID_PARAM if this is no token of ours */
export function parseSyncToken(token: string, parameter: string): SyncPoint {
  const [, order, behind] = grammar.exec(token) ?? [];
  const position = Number(order);
  const toDevice = behind === undefined ? position : Number(behind);
  if (!Number.isFinite(position) || toDevice > position) {
    throw invalidParam(`"${parameter}" is not a token that this server has given out.`);
  }
  return { position, toDevice };
}

/**
 * What a token for `GET /messages` names that stands right before the event of this order. History that is fetched later may
 * be put between an event and the one before it, with orders in between: it must be on the far side of the token.
 */
export function orderBefore(order: number): number {
  return order - Math.max(Math.abs(order), 1) * Number.EPSILON;
}
