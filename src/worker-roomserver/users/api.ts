import type { UserId } from "../../matrix/identifiers.ts";
import type { JsonObject } from "../../matrix/json.ts";
import type { Requester, RequestId } from "../node/requester.ts";
import type { Write } from "../storage/api.ts";
import type { OAuthLogin, OwnerRow, Position } from "../storage/schema.ts";
import type { PasswordCost } from "./passwords.ts";

/** Who a token belongs to, for the service worker's cache of tokens. */
export type TokenInfo = { requester: Requester; expiresAt: number | null };

/** Whom the bearer of an `as_token` wants to act as; of other tokens, it says nothing. */
export type Assertion = { userId?: string | undefined; deviceId?: string | undefined };

/** What a UIA-protected call gets when more stages are needed: goes to the client as a 401 with this body. */
export type UiaChallenge = { uia: JsonObject };

/** What a client says about the device that it logs in with. */
export type SessionRequest = {
  device_id?: string | undefined;
  initial_device_display_name?: string | undefined;
  /** Whether the client can refresh its tokens: they expire only then. */
  refresh_token?: boolean | undefined;
};

/** @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3register */
export type RegisterBody = SessionRequest & {
  auth?: JsonObject | undefined;
  username?: string | undefined;
  password?: string | undefined;
  inhibit_login?: boolean | undefined;
  /** Of a guest who wants to become a user; `username` is then theirs. */
  guest_access_token?: string | undefined;
};

/** How a user is named, of today and of old. */
export type Identification = {
  identifier?: JsonObject | undefined;
  user?: string | undefined;
  medium?: string | undefined;
};

/** @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3login */
export type LoginBody = SessionRequest &
  Identification & {
    type: string;
    password?: string | undefined;
    /** For m.login.token. */
    token?: string | undefined;
  };

/** @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3accountpassword */
export type ChangePasswordBody = {
  auth?: JsonObject | undefined;
  new_password: string;
  logout_devices?: boolean | undefined;
};

/** @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3accountdeactivate */
export type DeactivateBody = { auth?: JsonObject | undefined; erase?: boolean | undefined };

export type LoginResult = {
  user_id: string;
  device_id?: string | undefined;
  access_token?: string | undefined;
  refresh_token?: string | undefined;
  expires_in_ms?: number | undefined;
};

/** `home_server`: the server's name, which callers of Synapse's API know by that. */
export type SecretLogin = LoginResult & { home_server: string };

/** `expires_in_ms`: milliseconds. @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv1loginget_token */
export type LoginToken = { login_token: string; expires_in_ms: number };

export type RefreshResult = { access_token: string; refresh_token: string; expires_in_ms: number };

/** @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3devices */
export type ClientDevice = {
  device_id: string;
  display_name?: string | undefined;
  last_seen_ip?: string | undefined;
  last_seen_ts: number;
  /** A dehydrated device: nobody is logged in with it. @see https://github.com/matrix-org/matrix-spec-proposals/pull/3814 */
  dehydrated?: true | undefined;
};

/** What administrators have decided of an account. @see https://spec.matrix.org/v1.19/client-server-api/#account-moderation */
export type AccountModeration = { locked: boolean; suspended: boolean };

/** `last_seen`: milliseconds since 1970. @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3adminwhoisuserid */
export type Whois = {
  user_id: string;
  devices: Record<string, { sessions: { connections: { ip?: string; last_seen: number }[] }[] }>;
};

/** `expires_in`: seconds. @see https://spec.matrix.org/v1.19/client-server-api/#openid */
export type OpenIdToken = {
  access_token: string;
  token_type: "Bearer";
  matrix_server_name: string;
  expires_in: number;
};

/** Accounts, devices, tokens, profiles. Bodies come checked for their shape at the door. */
export interface Users {
  /**
   * @param options.asserted - as whom the bearer of an `as_token` wants to act; of other tokens, it says nothing
   * @param options.evenLocked - for what a locked account may do all the same: log out
   * @throws MatrixError M_UNKNOWN_TOKEN 401 (with `soft_logout` when it has only expired); M_USER_LOCKED 401; of
   *   application services M_FORBIDDEN 403 for a user that is not theirs, M_UNKNOWN_DEVICE 400
   */
  authenticate(token: string, options?: { evenLocked?: boolean; asserted?: Assertion }): Promise<TokenInfo>;
  /**
   * Notes that an open page has shown a valid token, so that what it loads without one can be known as its own.
   * @param page - the id that the browser has given to it: new for each load of a page, and told to nobody else
   */
  bindPage(page: string, token: string): Promise<void>;
  /** Whose token a page has shown last. @throws MatrixError M_MISSING_TOKEN 401 for none; as `authenticate` */
  authenticatePage(page: string): Promise<TokenInfo>;
  /**
   * @throws MatrixError M_FORBIDDEN 403 when accounts of this kind are not given out; M_INVALID_USERNAME,
   *   M_USER_IN_USE, M_WEAK_PASSWORD, M_MISSING_PARAM 400; M_LIMIT_EXCEEDED 429 for guessed registration tokens
   */
  register(
    request: RequestId,
    kind: "user" | "guest",
    body: RegisterBody,
  ): Promise<LoginResult | UiaChallenge>;
  /** Serves for one account within a minute. @throws MatrixError M_UNKNOWN 400 where there is no shared secret */
  sharedSecretNonce(): Promise<{ nonce: string }>;
  /**
   * Makes an account for who has the server's shared secret, whoever else may register.
   * @param body - as it came: it is read here, in the order that Synapse has
   * @throws MatrixError M_UNKNOWN, M_BAD_JSON 400 for what is missing or wrong, as an old nonce; M_FORBIDDEN 403 for a
   *   wrong `mac`; M_INVALID_USERNAME, M_USER_IN_USE, M_EXCLUSIVE, M_WEAK_PASSWORD 400
   */
  registerWithSecret(request: RequestId, body: JsonObject): Promise<SecretLogin>;
  /**
   * Makes a user of an application service: without a password, whoever else may register.
   * @throws MatrixError M_EXCLUSIVE, M_INVALID_USERNAME, M_USER_IN_USE, M_MISSING_PARAM 400; M_FORBIDDEN 403
   * @see https://spec.matrix.org/v1.19/application-service-api/#server-admin-style-permissions
   */
  registerForService(request: RequestId, requester: Requester, body: RegisterBody): Promise<LoginResult>;
  /** Logs a user in for its application service. @throws MatrixError M_EXCLUSIVE 400; M_FORBIDDEN 403 */
  loginForService(request: RequestId, requester: Requester, body: LoginBody): Promise<LoginResult>;
  /** @throws MatrixError M_EXCLUSIVE, M_INVALID_USERNAME, M_USER_IN_USE 400 */
  isUsernameAvailable(username: string): Promise<{ available: true }>;
  /** @throws MatrixError M_FORBIDDEN 403 where nobody can register; M_LIMIT_EXCEEDED 429 after many wrong ones */
  isRegistrationTokenValid(token: string): Promise<{ valid: boolean }>;
  /** @throws MatrixError M_FORBIDDEN 403; M_UNKNOWN 400 for a login type not offered; M_LIMIT_EXCEEDED 429 */
  login(request: RequestId, body: LoginBody): Promise<LoginResult>;
  /** A token for one login on another device; the user has to give their password for it. */
  createLoginToken(
    request: RequestId,
    requester: Requester,
    auth: JsonObject | undefined,
  ): Promise<LoginToken | UiaChallenge>;
  /** @throws MatrixError M_UNKNOWN_TOKEN 401 */
  refresh(request: RequestId, refreshToken: string): Promise<RefreshResult>;
  /** @throws MatrixError M_MISSING_PARAM 400 for an application service that has named no device */
  logout(requester: Requester): Promise<void>;
  logoutAll(requester: Requester): Promise<void>;
  changePassword(
    request: RequestId,
    requester: Requester,
    body: ChangePasswordBody,
  ): Promise<JsonObject | UiaChallenge>;
  deactivate(
    request: RequestId,
    requester: Requester,
    body: DeactivateBody,
  ): Promise<{ id_server_unbind_result: "success" } | UiaChallenge>;
  /** By device id. */
  devices(requester: Requester): Promise<ClientDevice[]>;
  /** @throws MatrixError M_NOT_FOUND 404 */
  device(requester: Requester, deviceId: string): Promise<ClientDevice>;
  /**
   * An application service makes the device so, if it is not there.
   * @param displayName - undefined leaves the name as it is
   * @returns whether it was made
   * @throws MatrixError M_NOT_FOUND 404
   */
  renameDevice(requester: Requester, deviceId: string, displayName: string | undefined): Promise<boolean>;
  /** Devices that are not there (any more) are no error. */
  deleteDevices(
    request: RequestId,
    requester: Requester,
    deviceIds: string[],
    auth: JsonObject | undefined,
  ): Promise<JsonObject | UiaChallenge>;
  /**
   * The whole profile, `{}` for an account without one; of users of other servers what their server has told lately.
   * @throws MatrixError M_NOT_FOUND 404 if there is no such user; M_UNKNOWN 502, 504 where another server is not reached
   */
  profile(userId: string): Promise<JsonObject>;
  /** @param value - undefined removes the field. @throws MatrixError M_FORBIDDEN 403 for another's profile */
  setProfileField(
    requester: Requester,
    userId: string,
    field: string,
    value: JsonObject[string],
  ): Promise<void>;
  /**
   * What has been decided of an account of this server. For administrators. One record.
   * @throws MatrixError M_FORBIDDEN 403, also for another administrator's account; M_INVALID_PARAM 400 for a user of
   *   another server; M_NOT_FOUND 404
   */
  moderation(requester: Requester, userId: string): Promise<AccountModeration>;
  /** The same, to change it; one's own account is out of reach. Who keeps tokens in memory must drop them. */
  moderate(requester: Requester, userId: string, change: Partial<AccountModeration>): Promise<void>;
  /** Of oneself, or of anybody here for an administrator; the user's devices are read. @throws as `moderation` */
  whois(requester: Requester, userId: string): Promise<Whois>;
  /** @throws MatrixError M_FORBIDDEN 403 for another's */
  createOpenIdToken(request: RequestId, requester: Requester, userId: string): Promise<OpenIdToken>;
  /**
   * Whom an OpenID token speaks for, as other servers ask. Two records.
   * @throws MatrixError M_UNKNOWN_TOKEN 401
   * @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1openiduserinfo
   */
  openIdUser(token: string): Promise<{ sub: string }>;
}

/** What other components in the worker ask of it. */
export interface UsersForComponents {
  /** Whether there is such an account here, and it has not been deactivated. */
  isLocalAccount(userId: string): Promise<boolean>;
  /**
   * Has the application services asked in whose namespace a user is that is not here: they may make one. May take some
   * seconds, in which the service comes with requests of its own: never call it in a room's lock.
   */
  findAccount(userId: string): Promise<void>;
  /** `displayname` and `avatar_url` for a new member event. */
  memberProfile(userId: string): Promise<JsonObject>;
  /** Where the log stood when a user had their content erased; undefined for everybody else. From memory. */
  erasedSince(userId: string): Position | undefined;
}

/** What the component asks that delivers messages to devices. */
export interface UsersForMessages {
  /** The devices of a user of this server; none for anybody else. One range of a row for each. */
  deviceIds(userId: string): Promise<string[]>;
}

/** What components ask that keep something of a device, which goes with it. */
export interface UsersForDevices {
  /**
   * Runs what writes something of a device while the device cannot be removed: what is written then is either there
   * before that, and goes with it, or never. Nothing of the account may be asked for within.
   * @throws MatrixError M_UNKNOWN_TOKEN 401 when the device has gone
   */
  whileDevice<T>(device: { userId: string; deviceId: string }, task: () => Promise<T>): Promise<T>;
}

/**
 * Answers a request of a client, and nothing but the error of a new request once its session has ended: the task's answer
 * is dropped then, even if it is there already. Sessions end by logout, removal of their device, another login of it,
 * locking of the account and expiry of the token; not by a refresh. Costs nothing where this leader has just looked at
 * the token, else three rows.
 * @param stop - called when the session ends, so that the task waits for nothing any more; it may fail then
 * @throws MatrixError M_UNKNOWN_TOKEN 401 (with `soft_logout` for a token that has expired); M_USER_LOCKED 401
 */
export type WhileLoggedIn = <T>(requester: Requester, task: () => Promise<T>, stop: () => void) => Promise<T>;

/** What is asked for requests that are held open until there is something to answer. */
export interface UsersForHeldRequests {
  readonly whileLoggedIn: WhileLoggedIn;
}

/** What components ask whose endpoints want user-interactive authentication. */
export interface UsersForConfirmation {
  /**
   * Asks a client for its user's password before something that a stolen access token must not be enough for.
   * Application services have full control of their users, and are not asked.
   * @param purpose - what exactly is asked for: a UIA session that was opened for it serves for nothing else
   * @returns the challenge, or undefined once the password was given
   * @throws MatrixError M_FORBIDDEN 403 for a session of another purpose; M_LIMIT_EXCEEDED 429
   */
  confirmOwner(
    requester: Requester,
    purpose: string,
    auth: JsonObject | undefined,
  ): Promise<UiaChallenge | undefined>;
}

/** A device that logs in by OAuth. `displayName` counts for a device that is new. */
export type GrantedLogin = { deviceId: string; displayName: string; oauth: OAuthLogin };
/** Reads what gives a right, under the account's lock. @returns what ends it, for the unit; undefined: it has gone */
export type Claim<T> = () => Promise<((write: Write, login: LoginResult) => T) | undefined>;

/** What OAuth needs of accounts. @see https://spec.matrix.org/v1.19/client-server-api/#oauth-20-api */
export interface UsersForOAuth {
  /**
   * Who has this password. Costs a password's hash.
   * @param user - a user ID or its localpart
   * @returns undefined when it is wrong, or there is no such account
   * @throws MatrixError M_LIMIT_EXCEEDED 429
   */
  ownerOf(user: string, password: string): Promise<OwnerRow | undefined>;
  /** Whether the account is there, and has the password still that was given. */
  isOwner(owner: OwnerRow): Promise<boolean>;
  /** Which accounts a page can make. */
  registration(): RegistrationSettings["registration"];
  /** As whom a page acts for its user. @throws MatrixError M_FORBIDDEN 403 when the account is gone */
  requesterFor(userId: string): Promise<Requester>;
  /**
   * Logs a device in, in one unit with what `claim` returns.
   * @returns what that returned; undefined when the right has gone, or whoever gave it is no owner any more
   */
  logIn<T>(owner: OwnerRow, login: GrantedLogin, claim: Claim<T>): Promise<T | undefined>;
  /**
   * As `Users.refresh`, for a client. A refresh token that was good once ends its whole login.
   * @throws MatrixError M_UNKNOWN_TOKEN 401
   */
  refreshFor(request: RequestId, refreshToken: string, client: string): Promise<RefreshResult>;
  /** Ends the device that has this access or refresh token; any other text is no error. */
  endToken(token: string): Promise<void>;
  /** Ends the device of a login, if it is still that login's. */
  endLogin(userId: string, grant: string): Promise<void>;
  /** Removes a device without asking for a password. One that is not there is no error. */
  endDevice(userId: string, deviceId: string): Promise<void>;
  /** Whether a device has logged in by OAuth. */
  isFromOAuth(userId: string, deviceId: string): Promise<boolean>;
  /** The OAuth clients that have tokens. Reads all tokens, some hundred at a time. */
  clientsInUse(): Promise<Set<string>>;
  /** Removes tokens that have had their time. One unit for each five hundred tokens that has such ones. */
  dropOldTokens(): AsyncGenerator<void>;
}

/** A device as the keys of its user want it known. */
export type KnownDevice = {
  deviceId: string;
  /** "" for none. */
  displayName: string;
  /** Of a dehydrated device: what its user makes it from. */
  dehydrated: JsonObject | undefined;
};

/** What the component asks that keeps devices' keys. */
export interface UsersForKeys {
  /** Runs a task while nobody else changes these users' accounts or devices, or what belongs to those. */
  holding<T>(userIds: readonly string[], task: () => Promise<T>): Promise<T>;
  /** By device id; undefined if there is no such account here, or not any more. Reads the account and its devices. */
  devicesOf(userId: string): Promise<KnownDevice[] | undefined>;
  /**
   * Reads what a dehydrated device takes the place of. To be called, and its result used, while the account is held.
   * @param device - undefined: none
   * @returns puts it there, and removes the one before with all that goes with it
   * @throws MatrixError M_INVALID_PARAM 400 for a bad id or name, and for the id of a device that is logged in
   */
  replacingDehydrated(
    userId: string,
    device: { deviceId: string; displayName: string; data: JsonObject } | undefined,
  ): Promise<(write: Write) => void>;
}

/** What application services need of accounts. */
export interface UsersForAppServices {
  /**
   * Sees to it that the user that a service acts as has an account.
   * @throws MatrixError M_USER_IN_USE 400 where the name is somebody's who is not a service's
   */
  makeSender(userId: UserId): Promise<void>;
}

/** What the node itself does with it. */
export interface UsersForNode {
  /**
   * Goes on leaving the rooms of accounts that were deactivated when the leader before this one died. Call it once
   * the room server is there.
   */
  finishDeactivations(): Promise<void>;
  /** For the compactor: pages that are no longer open. */
  dropOldPages(): AsyncGenerator<void>;
}

/** Who may register. `token`: whoever has a registration token. */
export type RegistrationSettings = { registration: "open" | "token" | "closed"; guests: boolean };

/** What the owner decides of accounts. */
export type UserSettings = RegistrationSettings & {
  /** Whether the first who registers becomes an administrator. */
  first_user_is_admin: boolean;
  /** Who has it makes accounts, whoever else may register: as Synapse has it. Null: nobody does. */
  registration_secret: string | null;
  /** Of passwords that are set from now on. */
  password_cost: PasswordCost;
};

/** What of a user goes: these devices, and with the account all of them. Devices that are not there are not among them. */
export type Removed = { userId: string; deviceIds: readonly string[]; isAccount: boolean };

/** Fills the unit. Reads nothing and never fails; what it changes in memory has to be undone when the unit fails. */
export type Fill = (write: Write) => void;

/**
 * What a component keeps of devices and accounts, and what becomes of it when they go: each that has a store with users
 * or devices in its keys gives one, or says why nothing goes (test/worker-roomserver/users/belongings.test.ts has all).
 *
 * - **In the same unit** as the device or account goes everything that is stored of it. So after a crash all of it is
 *   there, or nothing. What is called here runs under the lock of the account: who writes something of a device does so in
 *   `whileDevice`, or has other means to know that it has gone meanwhile.
 * - **What follows** is told by entries of the log in that unit: `session` to who holds requests open, `deviceList` to who
 *   shares rooms. Durable readers come to them after a crash too; for the others, what they had in memory is gone with it.
 * - **What takes its time** is only leaving an account's rooms: the account's row says so in that unit, it is done
 *   afterwards, and by the next leader where the tab closes before that (`finishDeactivations`).
 */
export type Belongings = {
  /** Reads what goes with these devices, and with the account. */
  removal(removed: Removed): Promise<Fill>;
  /** Reads what goes when a device logs in anew, perhaps as somebody else's app. What stays is then the new login's. */
  newLogin?(userId: string, deviceId: string): Promise<Fill>;
  /** Reads whom it concerns that a device gets another name. */
  renaming?(userId: string, deviceId: string): Promise<Fill>;
};

/** Leaves all rooms of a user, and may be called again for one who has left them already. */
export type LeaveRooms = (userId: UserId) => Promise<void>;

/**
 * Resolves once member events have what profiles said at a position of the log. A client is answered then, or when
 * this fails: a profile that is stored reaches the rooms sooner or later.
 */
export type ProfilesAnnounced = (position: Position) => Promise<void>;
