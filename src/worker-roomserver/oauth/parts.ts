import type { AuthorizationRequest } from "../../matrix/oauth/authorization-request.ts";
import { oauthError } from "../../matrix/oauth/errors.ts";
import type { Answers } from "../node/answers.ts";
import type { Storage } from "../storage/api.ts";
import type { OwnerRow } from "../storage/schema.ts";
import type { Users, UsersForConfirmation, UsersForOAuth } from "../users/api.ts";
import type { TokenAnswer } from "./api.ts";
import type { Clients } from "./clients.ts";
import type { Secrets } from "./secrets.ts";

export type OAuthOptions = {
  storage: Storage;
  answers: Answers;
  users: Users & UsersForOAuth & UsersForConfirmation;
  /** Milliseconds since 1970. */
  now: () => number;
};

/** What the parts of the component are made of. */
export type OAuthParts = OAuthOptions & { clients: Clients; secrets: Secrets };

/** What someone has signed in to a page for, as it is kept. */
export type Purpose =
  | { for: "authorize"; client: string; request: AuthorizationRequest }
  | { for: "device"; device: string }
  | { for: "account" };

/** A page that somebody is signed in to. `key`: of its row, which goes when the page has served. */
export type SignedIn<P extends Purpose = Purpose> = { key: string; owner: OwnerRow; purpose: P };

/** How long somebody may look at a page before they do anything. */
export const pageLifetimeMs = 10 * 60_000;

export const pageEnded = () =>
  oauthError(
    "invalid_request",
    "This page has served, or was open for too long. Please begin again from the app.",
  );

/** One answer for all that can be wrong with a grant, as it says nothing to who has none. */
export const invalidGrant = () =>
  oauthError("invalid_grant", "The grant is unknown, was given to another client, was used or has expired.");

/** @throws MatrixError invalid_request 400 */
export function needed(value: string | undefined, name: string): string {
  if (value === undefined || value === "") throw oauthError("invalid_request", `${name} is missing.`);
  return value;
}

/** @param login - of a device that can refresh its tokens */
export function tokenAnswer(
  login: {
    access_token?: string | undefined;
    refresh_token?: string | undefined;
    expires_in_ms?: number | undefined;
  },
  scope?: string,
): TokenAnswer {
  const { access_token = "", refresh_token = "", expires_in_ms = 0 } = login;
  const expires_in = Math.floor(expires_in_ms / 1000);
  return { access_token, token_type: "Bearer", expires_in, refresh_token, ...(scope && { scope }) };
}
