import { compareCodePoints } from "../utf8.ts";
import type { ResolvableEvent } from "./api.ts";

/** What decides between events that are otherwise alike: the earlier `origin_server_ts`, then the lower id. */
export function compareByTime(a: ResolvableEvent, b: ResolvableEvent): number {
  // Not their difference: timestamps may be any integers, and two of 1e300 differ by less than can be told.
  if (a.pdu.origin_server_ts !== b.pdu.origin_server_ts) {
    return a.pdu.origin_server_ts < b.pdu.origin_server_ts ? -1 : 1;
  }
  return compareCodePoints(a.eventId, b.eventId);
}
