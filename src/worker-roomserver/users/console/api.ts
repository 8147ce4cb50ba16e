import type { JsonObject } from "../../../matrix/json.ts";
import type { RequestId } from "../../node/requester.ts";
import type { ClientDevice } from "../api.ts";

export type UserKind = "user" | "guest" | "appservice";

/** An account of this server as lists show it. */
export type UserListing = {
  user_id: string;
  /** `appservice`: of an application service, a bridge's ghost as a rule. */
  kind: UserKind;
  displayname?: string;
  /** Milliseconds since 1970. */
  created_ts: number;
  admin: boolean;
  locked: boolean;
  suspended: boolean;
  deactivated: boolean;
};

export type UserDetails = UserListing & {
  /** Whether somebody can log in with one. */
  has_password: boolean;
  profile: JsonObject;
  /** By device id. */
  devices: ClientDevice[];
};

/** Which accounts are listed: those that are all of what is named. `search`: part of a user id or display name. */
export type UserFilter = {
  search?: string | undefined;
  kind?: UserKind | undefined;
  admin?: boolean | undefined;
  locked?: boolean | undefined;
  suspended?: boolean | undefined;
  deactivated?: boolean | undefined;
};

export type WantedUser = {
  username: string;
  /** Absent: nobody can log in until one is set. */
  password?: string | undefined;
  displayname?: string | undefined;
  admin?: boolean | undefined;
};

/** What an administrator decides of an account; what is absent stays. */
export type UserChange = {
  admin?: boolean | undefined;
  locked?: boolean | undefined;
  suspended?: boolean | undefined;
};

export type UserCounts = {
  /** Accounts that are not deactivated, by their kind. */
  users: number;
  guests: number;
  appservice_users: number;
  admins: number;
  locked: number;
  suspended: number;
  deactivated: number;
};

export type RegistrationToken = {
  token: string;
  /** How many accounts it is good for; null: any number. */
  uses_allowed: number | null;
  /** How many it was used for. A token is looked at and used up in one unit, so that no use of it is ever pending. */
  completed: number;
  /** Milliseconds since 1970; null: never. */
  expiry_time: number | null;
};
/** What is absent is null in a new token, and stays as it is in one that is there. */
export type WantedToken = {
  token?: string | undefined;
  uses_allowed?: number | null | undefined;
  expiry_time?: number | null | undefined;
};

/**
 * What the server's owner does with accounts. Nothing here asks who calls, which is the caller's to know; whoever keeps
 * tokens in memory must drop them after each method that changes something.
 *
 * The last administrator who is neither locked nor deactivated stays one: what would take that away is M_FORBIDDEN (403).
 * It costs a look at all accounts.
 */
export interface UsersConsole {
  /**
   * Accounts in the order of their user ids, which never change: a page neither repeats nor leaves out what was there
   * all the time. Reads accounts and profiles in pieces of two hundred, at most 2,000 for a page: where few of them fit
   * the filter a page may be short, or empty, and still have a `next_batch`.
   * @param page.from - `next_batch` of the page before
   * @param page.limit - 1 to 200
   */
  list(
    filter: UserFilter,
    page: { from?: string | undefined; limit: number },
  ): Promise<{ users: UserListing[]; next_batch?: string }>;
  /** Reads the account with its profile and devices. @throws MatrixError M_NOT_FOUND 404 */
  get(userId: string): Promise<UserDetails>;
  /**
   * Makes an account, whoever else may register.
   * @throws MatrixError M_INVALID_USERNAME, M_USER_IN_USE, M_EXCLUSIVE, M_WEAK_PASSWORD, M_INVALID_PARAM 400
   */
  create(request: RequestId, wanted: WantedUser): Promise<UserListing>;
  /**
   * Only accounts of kind `user` are made administrators.
   * @throws MatrixError M_NOT_FOUND 404; M_INVALID_PARAM 400; M_FORBIDDEN 403 for what is said above, and where the
   *   account has been deactivated
   */
  change(userId: string, change: UserChange): Promise<UserListing>;
  /** @param how.logoutDevices - ends all logins of the account. @throws as `change` */
  setPassword(userId: string, how: { password: string; logoutDevices: boolean }): Promise<void>;
  /** Its rooms are left in the background. @throws as `change` */
  deactivate(request: RequestId, userId: string, how: { erase: boolean }): Promise<void>;
  /** Ends logins. Devices that are not there are no error. @param deviceIds - absent: all. @throws as `change` */
  deleteDevices(userId: string, deviceIds?: readonly string[]): Promise<void>;
  /** Reads all accounts, a thousand at a time. */
  counts(): Promise<UserCounts>;

  /** By token. */
  registrationTokens(): Promise<RegistrationToken[]>;
  /** @throws MatrixError M_NOT_FOUND 404 */
  registrationToken(token: string): Promise<RegistrationToken>;
  /**
   * @param wanted.token - up to 64 of `A-Za-z0-9._~-`; absent: a random one
   * @throws MatrixError M_INVALID_PARAM 400, also when there is such a token already
   */
  createRegistrationToken(request: RequestId, wanted: WantedToken): Promise<RegistrationToken>;
  /** @throws MatrixError M_NOT_FOUND 404 */
  changeRegistrationToken(token: string, change: Omit<WantedToken, "token">): Promise<RegistrationToken>;
  /** A token that is not there is no error. */
  deleteRegistrationToken(token: string): Promise<void>;
}
