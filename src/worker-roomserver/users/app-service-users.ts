import { forbidden, MatrixError, missingParam } from "../../matrix/errors.ts";
import { isValidNewLocalpart, parseUserId, type ServerName, type UserId } from "../../matrix/identifiers.ts";
import type { AppServiceIdentity, AppServiceNamespaces } from "../appservices/api.ts";
import type { Answers } from "../node/answers.ts";
import type { KeyedLock } from "../node/keyed-lock.ts";
import type { Requester, RequestId } from "../node/requester.ts";
import type { Storage } from "../storage/api.ts";
import type { Assertion, LoginBody, LoginResult, RegisterBody, TokenInfo } from "./api.ts";
import { lockedAccount } from "./moderation.ts";
import type { Registration } from "./registration.ts";
import { newSession, type Sessions } from "./sessions.ts";
import { hashToken } from "./tokens.ts";
import { identifiedUserId } from "./user-names.ts";

export type AppServiceUsersOptions = {
  storage: Storage;
  answers: Answers;
  locks: KeyedLock<string>;
  serverName: ServerName;
  appServices: AppServiceNamespaces;
  registration: Registration;
  sessions: Sessions;
};

type AuthenticateOptions = { asserted?: Assertion; evenLocked?: boolean };

/** The users that application services act as. @see https://spec.matrix.org/v1.19/application-service-api/#identity-assertion */
export class AppServiceUsers {
  readonly #with: AppServiceUsersOptions;

  constructor(options: AppServiceUsersOptions) {
    this.#with = options;
  }

  /**
   * As whom a service acts. Two rows, none for its sender without a device.
   * @returns undefined for a token that is no service's
   * @throws MatrixError M_FORBIDDEN 403 for a user outside of its namespaces, or who is not there; M_UNKNOWN_DEVICE 400;
   *   M_USER_LOCKED 401
   */
  async authenticate(token: string, options: AuthenticateOptions = {}): Promise<TokenInfo | undefined> {
    return this.authenticateHash(await hashToken(token), options);
  }

  /** The same by the hash of a token. */
  async authenticateHash(
    session: string,
    { asserted = {}, evenLocked = false }: AuthenticateOptions = {},
  ): Promise<TokenInfo | undefined> {
    const { storage, appServices } = this.#with;
    const service = appServices.identify(session);
    if (service === undefined) return undefined;
    const userId = parseUserId(asserted.userId ?? service.sender);
    if (!appServices.covers(service.id, "users", userId)) {
      throw forbidden("This user is outside of the namespaces of this application service.");
    }
    const account = await storage.get("accounts", userId);
    if (account === undefined || account.deactivated) {
      throw forbidden("There is no such user here: the application service has to register it first.");
    }
    if (account.locked && !evenLocked) throw lockedAccount();
    const deviceId = asserted.deviceId || undefined;
    if (deviceId !== undefined && (await storage.get("devices", [userId, deviceId])) === undefined) {
      throw new MatrixError("M_UNKNOWN_DEVICE", 400, "The user has no such device.");
    }
    const isLimited = service.rateLimited && userId !== service.sender;
    // What the owner of the server may do is theirs, and not that of who acts for them.
    const { kind, suspended } = account;
    const requester = {
      userId,
      ...(deviceId !== undefined && { deviceId }),
      kind,
      admin: false,
      session,
      ...(suspended && { suspended: true }),
    };
    return { requester: { ...requester, appService: { id: service.id, isLimited } }, expiresAt: null };
  }

  /** @throws MatrixError M_EXCLUSIVE, M_INVALID_USERNAME, M_USER_IN_USE, M_MISSING_PARAM 400 */
  register(request: RequestId, service: Service, body: RegisterBody): Promise<LoginResult> {
    const { answers, serverName, appServices, registration } = this.#with;
    return answers.once<LoginResult>(request, async (record) => {
      const { username } = body;
      if (username === undefined) throw missingParam('"username" is missing.');
      // As it is: a service that believes in capitals would act for somebody who is not there.
      if (!isValidNewLocalpart(username, serverName)) {
        throw new MatrixError("M_INVALID_USERNAME", 400, "A username is made of a-z, 0-9 and . _ = - / +.");
      }
      const userId = parseUserId(`@${username}:${serverName}`);
      appServices.checkFree("users", userId, service.id);
      const session = body.inhibit_login === true ? undefined : await newSession(body);
      return registration.registerFor(userId, session, record);
    });
  }

  /** @throws MatrixError M_EXCLUSIVE 400; M_FORBIDDEN 403 where the user is not there */
  login(request: RequestId, service: Service, body: LoginBody): Promise<LoginResult> {
    const { answers, storage, locks, serverName, appServices, sessions } = this.#with;
    return answers.once<LoginResult>(request, async (record) => {
      const userId = parseUserId(identifiedUserId(body, serverName));
      if (!appServices.covers(service.id, "users", userId)) {
        throw new MatrixError("M_EXCLUSIVE", 400, `${userId} is outside of the namespaces of this service.`);
      }
      const session = await newSession(body);
      return locks.run(userId, async () => {
        const account = await storage.get("accounts", userId);
        if (account === undefined || account.deactivated) throw forbidden("There is no such user here.");
        const start = await sessions.starting(userId, session);
        return storage.commit((write) => record(write, start(write)));
      });
    });
  }

  /** @throws MatrixError M_USER_IN_USE 400 where the name is somebody's who is not a service's */
  async makeSender(userId: UserId): Promise<void> {
    const account = await this.#with.storage.get("accounts", userId);
    if (account?.kind === "appservice" && !account.deactivated) return;
    await this.#with.registration.registerFor(userId, undefined, (_, answer) => answer);
  }
}

type Service = Pick<AppServiceIdentity, "id">;

/** The service that makes a request. @throws MatrixError M_FORBIDDEN 403 for others */
export function serviceOf({ appService }: Requester): Service {
  if (appService === undefined) throw forbidden("This is for application services, with their as_token.");
  return appService;
}
