import { suspendedAccount } from "../../../matrix/errors.ts";
import type { JsonValue } from "../../../matrix/json.ts";
import type { Requester } from "../../node/requester.ts";

/**
 * A suspended account reads, leaves, and redacts what it has sent itself. Nothing else that others in a room notice.
 * @throws MatrixError M_USER_SUSPENDED (403)
 * @see https://spec.matrix.org/v1.19/client-server-api/#account-suspension
 */
export function requireActive({ suspended }: Requester): void {
  if (suspended) throw suspendedAccount();
}

/** The same for a change of a membership: leaving a room and rejecting an invite is open to all. */
export function requireActiveUnlessLeaving(
  requester: Requester,
  change: { isOwnMembership: boolean; membership: JsonValue | undefined },
): void {
  if (!change.isOwnMembership || change.membership !== "leave") requireActive(requester);
}
