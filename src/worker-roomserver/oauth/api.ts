import type { JsonObject } from "../../matrix/json.ts";
import type { AuthorizationQuery } from "../../matrix/oauth/authorization-request.ts";
import type { ClientMetadata } from "../../matrix/oauth/client-metadata.ts";
import type { Requester, RequestId } from "../node/requester.ts";
import type { ClientDevice, UiaChallenge } from "../users/api.ts";

/** @see https://spec.matrix.org/v1.19/client-server-api/#dynamic-client-registration-flow */
export type RegisteredClient = ClientMetadata & { client_id: string };

/** The form of the token endpoint: what is missing depends on the grant. */
export type TokenForm = {
  grant_type: string;
  client_id?: string | undefined;
  code?: string | undefined;
  redirect_uri?: string | undefined;
  code_verifier?: string | undefined;
  refresh_token?: string | undefined;
  device_code?: string | undefined;
};

/** `expires_in`: seconds. */
export type TokenAnswer = {
  access_token: string;
  token_type: "Bearer";
  expires_in: number;
  refresh_token: string;
  /** Absent where it is what it was. */
  scope?: string;
};

/** Times in seconds. The addresses are the caller's to add. */
export type DeviceAuthorization = {
  device_code: string;
  user_code: string;
  expires_in: number;
  interval: number;
};

/** What somebody is about to sign in to a page for. */
export type PageTarget =
  | { for: "authorize"; query: AuthorizationQuery }
  | { for: "device"; userCode: string }
  | { for: "account"; action?: string | undefined; deviceId?: string | undefined };

/** How an app presents itself to the user. Links are https, and all at the host of `uri`. */
export type ClientView = {
  name: string;
  uri: string;
  tosUri?: string | undefined;
  policyUri?: string | undefined;
};

/** Nobody has signed in yet. `problem`: why the last attempt failed, for the user. */
export type SignInPage = {
  page: "signIn" | "create";
  /** The app that they sign in for; absent where it is not known yet, or there is none. */
  client?: ClientView | undefined;
  /** What to put into the fields already. */
  user: string;
  registration: "open" | "token" | "closed";
  problem?: string | undefined;
  /** Where the browser goes next by itself, for the policy of the page; absent: nowhere. */
  redirectUri?: string | undefined;
};

/** Someone is signed in. `session` is the secret by which the page's forms are known: it is in none of the URLs. */
export type ConsentPage = {
  page: "consent";
  session: string;
  userId: string;
  client: ClientView;
  deviceId: string;
  /** The device of this id that they have already and that will be signed out; "" for one without a name. */
  replaces?: string | undefined;
  redirectUri?: string | undefined;
};

export type AccountPage = {
  page: "account";
  session: string;
  userId: string;
  action?: string | undefined;
  deviceId?: string | undefined;
  displayName: string;
  devices: ClientDevice[];
  /** Until when cross-signing keys can be replaced without more ado, in milliseconds since 1970. */
  resetUntil?: number | undefined;
  /** What has been done, or why it has not. */
  done?: string | undefined;
  problem?: string | undefined;
};

/** What a browser is shown next. `done`: nothing more to do here. */
export type Page =
  | SignInPage
  | ConsentPage
  | AccountPage
  | { page: "redirect"; to: string }
  | { page: "done"; what: "allowed" | "denied" | "deactivated"; client?: string | undefined };

/** What the user of the account page wants done. */
export type AccountAct =
  | { act: "show" }
  | { act: "rename"; displayName: string }
  | { act: "endDevice"; deviceId: string }
  | { act: "resetCrossSigning" }
  | { act: "deactivate"; password: string; erase: boolean };

export type NewAccount = {
  user: string;
  password: string;
  /** Typed twice: nobody could help who does not know what they have typed. */
  passwordAgain: string;
  token?: string | undefined;
};

/**
 * The OAuth 2.0 API: clients, grants, and what the pages show on which users allow them. Errors of OAuth are
 * MatrixErrors with OAuth's code as their `errcode` (matrix/oauth/errors.ts).
 * @see https://spec.matrix.org/v1.19/client-server-api/#oauth-20-api
 */
export interface OAuth {
  /**
   * Gives a client its id: the same for the same metadata. One record read, one unit for a client that is new today.
   * @throws MatrixError invalid_client_metadata, invalid_redirect_uri 400; temporarily_unavailable 503 when there
   *   are too many
   */
  registerClient(metadata: JsonObject): Promise<RegisteredClient>;
  /**
   * Gives tokens for a grant, which is good once. Some records of the device that logs in.
   * @throws MatrixError invalid_request, invalid_grant, unsupported_grant_type, authorization_pending, slow_down,
   *   access_denied, expired_token 400
   */
  token(request: RequestId, form: TokenForm): Promise<TokenAnswer>;
  /**
   * Begins the login of a device that has no browser.
   * @throws MatrixError invalid_client 401; unauthorized_client, invalid_scope 400; temporarily_unavailable 503 when
   *   too many are under way
   */
  authorizeDevice(clientId: string, scope: string): Promise<DeviceAuthorization>;
  /** Ends the device that has the token. What is no token is no error. */
  revoke(token: string): Promise<void>;

  /**
   * What is shown to someone who comes to a page. Two records at most; writes nothing.
   * @throws MatrixError invalid_client 401, invalid_request 400: an authorisation request whose answer must not be
   *   sent to where it says
   */
  open(target: PageTarget): Promise<Page>;
  /** Goes on with who has the password; shows the page again with what was wrong otherwise. Costs a password's hash. */
  signIn(target: PageTarget, user: string, password: string): Promise<Page>;
  /** Makes an account, and goes on with it. */
  createAccount(request: RequestId, target: PageTarget, account: NewAccount): Promise<Page>;
  /**
   * The user's word on what a consent page says. It counts once.
   * @throws MatrixError invalid_request 400 when the page is too old, or its word was given already
   */
  decide(session: string, allow: boolean): Promise<Page>;
  /** @throws MatrixError invalid_request 400 when the page is too old */
  manage(request: RequestId, session: string, act: AccountAct): Promise<Page>;
}

/** What other components ask of it. */
export interface OAuthForComponents {
  /**
   * Whether the user has said on the account page, less than ten minutes ago, that they want other cross-signing
   * keys. One record.
   */
  crossSigningResetAllowed(userId: string): Promise<boolean>;
  /**
   * As `confirmOwner` of UsersForConfirmation, for the replacement of cross-signing keys: a device that came by OAuth
   * sends its user to the account page. The `url` in the challenge is a path: see `doneOrPage` of src/sw/uia.ts.
   * @see https://spec.matrix.org/v1.19/client-server-api/#oauth-authentication
   */
  confirmCrossSigningReset(
    requester: Requester,
    purpose: string,
    auth: JsonObject | undefined,
  ): Promise<UiaChallenge | undefined>;
}

/** What the node has done each hour and each day: see node/compactor.ts. */
export interface OAuthForNode {
  /** One unit for each five hundred secrets that have expired. */
  dropExpired(): AsyncGenerator<void>;
  /** Clients that nobody is logged in with. Reads all of them, and all tokens. */
  dropUnusedClients(): AsyncGenerator<void>;
}
