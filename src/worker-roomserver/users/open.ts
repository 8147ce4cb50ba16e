import type { ServerName } from "../../matrix/identifiers.ts";
import type { AppServiceNamespaces } from "../appservices/api.ts";
import type { Answers } from "../node/answers.ts";
import { KeyedLock } from "../node/keyed-lock.ts";
import { later, lazily, once } from "../node/later.ts";
import type { Storage } from "../storage/api.ts";
import { Accounts } from "./accounts.ts";
import type {
  Belongings,
  LeaveRooms,
  ProfilesAnnounced,
  UserSettings,
  Users,
  UsersForAppServices,
  UsersForComponents,
  UsersForConfirmation,
  UsersForDevices,
  UsersForHeldRequests,
  UsersForKeys,
  UsersForMessages,
  UsersForNode,
  UsersForOAuth,
} from "./api.ts";
import { AppServiceUsers, serviceOf } from "./app-service-users.ts";
import { together } from "./belongings.ts";
import type { UsersConsole } from "./console/api.ts";
import { Credentials } from "./credentials.ts";
import { DehydratedDevices } from "./dehydrated-devices.ts";
import { devicesOf } from "./device-rows.ts";
import { Devices } from "./devices.ts";
import { Erasures } from "./erasures.ts";
import { GrantedLogins } from "./granted-logins.ts";
import { GuessLimits } from "./guess-limits.ts";
import { HeldRequests } from "./held-requests.ts";
import { Login } from "./login.ts";
import { LoginTokens } from "./login-tokens.ts";
import { Moderation } from "./moderation.ts";
import { OpenIdTokens } from "./openid-tokens.ts";
import { PageSessions } from "./page-sessions.ts";
import { Passwords } from "./passwords.ts";
import { Profiles } from "./profiles.ts";
import { Registration } from "./registration.ts";
import { RegistrationTokens } from "./registration-tokens.ts";
import type { RemoteProfiles } from "./remote/api.ts";
import { Sessions, unknownToken } from "./sessions.ts";
import { SharedSecretRegistration } from "./shared-secret.ts";
import { clientsInUse, dropOldTokens } from "./token-sweep.ts";
import { Uia } from "./uia.ts";

export type UsersOptions = {
  storage: Storage;
  answers: Answers;
  serverName: ServerName;
  /** Milliseconds since 1970. */
  now: () => number;
  /** Asked anew whenever they matter. */
  settings: () => UserSettings & { rate_limits: boolean };
  leaveRooms: LeaveRooms;
  profilesAnnounced: ProfilesAnnounced;
  /** Asked each time: other components are made later. */
  belongings: () => readonly Belongings[];
  appServices: AppServiceNamespaces;
  /** Profiles of users of other servers. Absent: there are none. */
  remoteProfiles?: RemoteProfiles;
};

const ownersPart = later(() => import("./console/users-console.ts"));

/** Puts the component together. Each part says what it does; what they share is made here. */
export async function openUsers(
  options: UsersOptions,
): Promise<
  Users &
    UsersForComponents &
    UsersForMessages &
    UsersForConfirmation &
    UsersForOAuth &
    UsersForDevices &
    UsersForHeldRequests &
    UsersForKeys &
    UsersForAppServices &
    UsersForNode & { readonly console: UsersConsole }
> {
  const { storage, now, leaveRooms, settings } = options;
  const shared = {
    ...options,
    belongings: together(options.belongings),
    // What reads an account's rows and then writes them holds the lock of its user id.
    locks: new KeyedLock<string>(),
    guesses: new GuessLimits(now, () => settings().rate_limits),
    passwords: new Passwords(() => settings().password_cost),
    uia: await Uia.open(storage, now),
  };
  const credentials = new Credentials(shared);
  const sessions = new Sessions(shared);
  const pages = new PageSessions({ ...shared, sessions });
  const tokens = new RegistrationTokens(shared);
  const registration = new Registration({ ...shared, tokens, sessions });
  const secrets = new SharedSecretRegistration({ ...shared, registration });
  const devices = new Devices({ ...shared, credentials });
  const erasures = await Erasures.open(storage);
  const accounts = new Accounts({ ...shared, credentials, erasures, leaveRooms });
  const moderation = new Moderation(shared);
  const openIdTokens = new OpenIdTokens(shared);
  const loginTokens = new LoginTokens({ ...shared, accounts });
  const login = new Login({ ...shared, credentials, sessions, loginTokens });
  const profiles = new Profiles(shared);
  const granted = new GrantedLogins({ ...shared, credentials, sessions });
  const dehydrated = new DehydratedDevices(shared);

  const ofServices = new AppServiceUsers({ ...shared, registration, sessions });
  const findAccount = async (userId: string) => {
    if (!(await accounts.isLocal(userId))) await options.appServices.findUser(userId);
  };

  const held = new HeldRequests({
    storage,
    now,
    authenticate: async ({ session = "", appService, userId, deviceId }) => {
      const asserted = { userId, deviceId };
      const info = appService
        ? await ofServices.authenticateHash(session, { asserted })
        : await sessions.authenticateHash(session);
      if (info === undefined) throw unknownToken();
      return info;
    },
  });

  return {
    authenticate: (token, options) => {
      const look = async () =>
        (await ofServices.authenticate(token, options)) ?? (await sessions.authenticate(token, options));
      // What is let through though it is locked is no session that lives.
      return options?.evenLocked ? look() : held.known(look);
    },
    bindPage: (page, token) => pages.bind(page, token),
    authenticatePage: (page) => pages.authenticate(page),
    register: (request, kind, body) =>
      kind === "guest" ? registration.registerGuest(request, body) : registration.registerUser(request, body),
    sharedSecretNonce: async () => ({ nonce: secrets.nonce() }),
    registerWithSecret: (request, body) => secrets.register(request, body),
    registerForService: async (request, requester, body) =>
      ofServices.register(request, serviceOf(requester), body),
    loginForService: async (request, requester, body) =>
      ofServices.login(request, serviceOf(requester), body),
    isUsernameAvailable: async (username) => {
      await registration.checkAvailable(username);
      return { available: true };
    },
    isRegistrationTokenValid: async (token) => ({ valid: await registration.isTokenValid(token) }),
    login: (request, body) => login.login(request, body),
    createLoginToken: (request, requester, auth) => loginTokens.create(request, requester, auth),
    refresh: (request, refreshToken) => sessions.refresh(request, refreshToken),
    logout: (requester) => devices.logout(requester),
    logoutAll: (requester) => devices.logoutAll(requester),
    changePassword: (request, requester, body) => accounts.changePassword(request, requester, body),
    deactivate: (request, requester, body) => accounts.deactivate(request, requester, body),
    devices: (requester) => devices.list(requester),
    device: (requester, deviceId) => devices.get(requester, deviceId),
    renameDevice: (requester, deviceId, displayName) => devices.rename(requester, deviceId, displayName),
    deleteDevices: (request, requester, deviceIds, auth) =>
      devices.delete(request, requester, deviceIds, auth),
    profile: async (userId) => {
      await findAccount(userId);
      return profiles.profile(userId);
    },
    setProfileField: (requester, userId, field, value) => profiles.setField(requester, userId, field, value),

    moderation: (requester, userId) => moderation.get(requester, userId),
    moderate: (requester, userId, change) => moderation.set(requester, userId, change),
    whois: (requester, userId) => moderation.whois(requester, userId),
    createOpenIdToken: (request, requester, userId) => openIdTokens.create(request, requester, userId),
    openIdUser: async (token) => ({ sub: await openIdTokens.userOf(token) }),

    isLocalAccount: (userId) => accounts.isLocal(userId),
    findAccount,
    memberProfile: (userId) => profiles.memberProfile(userId),
    erasedSince: (userId) => erasures.since(userId),

    deviceIds: async (userId) => (await devicesOf(storage, userId)).map(({ deviceId }) => deviceId),
    whileLoggedIn: held.whileLoggedIn,
    whileDevice: (device, task) => devices.whileDevice(device, task),

    confirmOwner: async (requester, purpose, auth) => {
      if (requester.appService !== undefined) return undefined;
      const passed = await accounts.confirm(requester, purpose, auth);
      return "uia" in passed ? passed : undefined;
    },

    ownerOf: (user, password) => granted.ownerOf(user, password),
    isOwner: (owner) => granted.isOwner(owner),
    registration: () => options.settings().registration,
    requesterFor: (userId) => granted.requesterFor(userId),
    logIn: (owner, login, claim) => granted.logIn(owner, login, claim),
    refreshFor: (request, refreshToken, client) => granted.refresh(request, refreshToken, client),
    endToken: (token) => granted.endToken(token),
    endLogin: (userId, grant) => granted.endLogin(userId, grant),
    endDevice: (userId, deviceId) => granted.endDevice(userId, deviceId),
    isFromOAuth: (userId, deviceId) => granted.isFromOAuth(userId, deviceId),
    clientsInUse: () => clientsInUse(storage),
    dropOldTokens: () => dropOldTokens(storage, now),
    holding: (userIds, task) => shared.locks.runAll(userIds, task),
    devicesOf: async (userId) =>
      (await accounts.isLocal(userId)) ? dehydrated.devicesOf(userId) : undefined,
    replacingDehydrated: (userId, device) => dehydrated.replacing(userId, device),

    makeSender: (userId) => ofServices.makeSender(userId),

    console: lazily(
      once(async () => (await ownersPart()).openUsersConsole({ ...shared, accounts, registration })),
    ),

    finishDeactivations: () => accounts.finishDeactivations(),
    dropOldPages: () => pages.dropOld(),
  };
}
