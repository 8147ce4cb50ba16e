import { forbidden, missingParam } from "../../matrix/errors.ts";
import type { ServerName, UserId } from "../../matrix/identifiers.ts";
import type { AccountRow } from "../storage/schema.ts";
import type { RegisterBody } from "./api.ts";
import type { Sessions } from "./sessions.ts";
import { userIdForNewName } from "./user-names.ts";

/**
 * The guest who wants an account of their own: under the name that they have, in the rooms that they are in.
 * @returns undefined for who is not a guest yet
 * @throws MatrixError M_FORBIDDEN 403 for a token that is no guest's, and for another name; M_MISSING_PARAM 400
 * @see https://spec.matrix.org/v1.19/client-server-api/#guest-access
 */
export async function upgradedGuest(
  sessions: Sessions,
  { guest_access_token: token, username }: RegisterBody,
  serverName: ServerName,
): Promise<UserId | undefined> {
  if (token === undefined) return undefined;
  if (username === undefined) throw missingParam('"username" is missing: it is that of the guest.');
  const { requester } = await sessions.authenticate(token).catch(() => {
    // Not the 401 that it would be elsewhere: here that asks for another stage.
    throw noGuest();
  });
  if (requester.kind !== "guest") throw noGuest();
  if (userIdForNewName(username, serverName) !== requester.userId) {
    throw forbidden("A guest keeps their name.");
  }
  return requester.userId;
}

/** Under the lock of registration: a guest becomes a user once. */
export function stillGuest(account: AccountRow | undefined): AccountRow {
  if (account?.kind !== "guest" || account.deactivated || account.locked) throw noGuest();
  return account;
}

const noGuest = () => forbidden("The guest_access_token is not one of a guest.");
