import { isRoomId } from "./identifiers.ts";
import type { JsonObject } from "./json.ts";
import { compareCodePoints } from "./utf8.ts";

/** An `m.space.child` event of a space: its state key is the child's room id. */
export type SpaceChild = {
  readonly sender: string;
  readonly state_key?: string;
  readonly content: JsonObject;
  readonly origin_server_ts: number;
};

/** Far more than names of servers and a few words of order take. */
const CONTENT_LENGTH = 4_096;

const validOrder = /^[\x20-\x7E]{1,50}$/;

/**
 * Whether the event makes a room a child: without servers to go through it does not. One whose content is larger than
 * it has reason to be does not either: a thousand such would make an answer of 60 MB.
 * @see https://spec.matrix.org/v1.19/client-server-api/#mspacechild
 */
export function isChild({ state_key, content }: SpaceChild): boolean {
  const { via } = content;
  if (!isRoomId(state_key) || !Array.isArray(via) || via.length === 0) return false;
  return (
    via.every((server) => typeof server === "string") && JSON.stringify(content).length <= CONTENT_LENGTH
  );
}

export function isSuggested({ content }: SpaceChild): boolean {
  return content.suggested === true;
}

/**
 * Compares children for their order in the space, for `sort`: first those with a valid `order`, by that; then by time,
 * then by room id. Room ids of one space are never the same, so it is total.
 * @see https://spec.matrix.org/v1.19/client-server-api/#ordering-of-children-within-a-space
 */
export function compareChildren(a: SpaceChild, b: SpaceChild): number {
  const [orderA, orderB] = [orderOf(a), orderOf(b)];
  if (orderA !== orderB) {
    if (orderA === undefined) return 1;
    if (orderB === undefined) return -1;
    return orderA < orderB ? -1 : 1;
  }
  const [idA, idB] = [a.state_key ?? "", b.state_key ?? ""];
  return a.origin_server_ts - b.origin_server_ts || compareCodePoints(idA, idB);
}

function orderOf({ content }: SpaceChild): string | undefined {
  return typeof content.order === "string" && validOrder.test(content.order) ? content.order : undefined;
}
