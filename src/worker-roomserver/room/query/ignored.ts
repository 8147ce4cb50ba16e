import type { StoredEvent } from "../api.ts";

/**
 * Whether who ignores some users gets an event all the same: state events they do, so that rooms look the same to all.
 * @see https://spec.matrix.org/v1.19/client-server-api/#ignoring-users
 */
export const isHeard =
  (ignored: ReadonlySet<string>) =>
  ({ pdu }: StoredEvent): boolean =>
    pdu.state_key !== undefined || !ignored.has(pdu.sender);
