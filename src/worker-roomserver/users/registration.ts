import { forbidden, MatrixError, missingParam } from "../../matrix/errors.ts";
import { localpartOf, type ServerName, type UserId } from "../../matrix/identifiers.ts";
import type { AppServiceNamespaces } from "../appservices/api.ts";
import type { Answers, RecordAnswer } from "../node/answers.ts";
import type { KeyedLock } from "../node/keyed-lock.ts";
import type { RequestId } from "../node/requester.ts";
import type { Storage, Write } from "../storage/api.ts";
import type { AccountRow, Nid } from "../storage/schema.ts";
import type { LoginResult, RegisterBody, SecretLogin, UiaChallenge, UserSettings } from "./api.ts";
import { stillGuest, upgradedGuest } from "./guest-upgrade.ts";
import { checkNewPassword, type Passwords } from "./passwords.ts";
import { putProfile } from "./profile-row.ts";
import { type RegistrationTokens, registrationLock } from "./registration-tokens.ts";
import { type NewSession, newSession, type Sessions } from "./sessions.ts";
import type { Stage, Uia } from "./uia.ts";
import { randomUserId, userIdForNewName } from "./user-names.ts";

export type RegistrationOptions = {
  storage: Storage;
  answers: Answers;
  locks: KeyedLock<string>;
  serverName: ServerName;
  now: () => number;
  settings: () => UserSettings;
  passwords: Passwords;
  uia: Uia;
  tokens: RegistrationTokens;
  sessions: Sessions;
  appServices: Pick<AppServiceNamespaces, "checkFree">;
};

/** An account that the shared secret has asked for. */
export type SecretOrder = {
  username: string;
  password: string;
  admin: boolean;
  /** Undefined: the name of the user; "": none. */
  displayname: string | undefined;
};

/** An account that is wanted, with all that takes time done. */
type Wanted = {
  userId: UserId;
  kind: AccountRow["kind"];
  passwordHash: string;
  /** There is such a guest, who becomes a user. */
  isGuest: boolean;
  /** The profile's user, interned. */
  user: Nid;
  /** Undefined with `inhibit_login`. */
  session: NewSession | undefined;
  /** Where it is said. By default, the first user is one, if the owner has not decided otherwise. */
  admin?: boolean;
  /** By default the localpart. "": none. */
  displayname?: string | undefined;
};

const dummyStage: Stage = { type: "m.login.dummy", refusal: async () => undefined };

/** Makes accounts. @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3register */
export class Registration {
  readonly #with: RegistrationOptions;
  /** Whether anyone but guests is here: the first to come owns the server. */
  #hasUsers = false;

  constructor(options: RegistrationOptions) {
    this.#with = options;
  }

  registerGuest(request: RequestId, body: RegisterBody): Promise<LoginResult> {
    const { answers, storage, serverName, settings } = this.#with;
    return answers.once<LoginResult>(request, async (record) => {
      if (!settings().guests) throw forbidden("This server takes no guests.");
      const userId = randomUserId(serverName);
      const user = await storage.names.intern(userId);
      // Of what a guest asks for, only the device's name counts.
      const session = await newSession({ initial_device_display_name: body.initial_device_display_name });
      return this.#with.locks.run(registrationLock, async () => {
        const create = await this.#creating({
          userId,
          kind: "guest",
          passwordHash: "",
          isGuest: false,
          user,
          session,
        });
        return storage.commit((write) => record(write, create(write)));
      });
    });
  }

  registerUser(request: RequestId, body: RegisterBody): Promise<LoginResult | UiaChallenge> {
    const { answers, storage, serverName, uia, passwords, locks } = this.#with;
    return answers.once<LoginResult | UiaChallenge>(request, async (record) => {
      const stage = this.#stage();
      const guest = await upgradedGuest(this.#with.sessions, body, serverName);
      if (body.username !== undefined && guest === undefined) await this.checkAvailable(body.username);
      if (body.password !== undefined) checkNewPassword(body.password);
      const session = body.inhibit_login === true ? undefined : await newSession(body);

      const passed = await uia.attempt("register", [stage], body.auth);
      if ("uia" in passed) return passed;
      if (body.password === undefined) throw missingParam('"password" is missing.');

      const passwordHash = await passwords.hash(body.password);
      const userId =
        body.username === undefined ? randomUserId(serverName) : userIdForNewName(body.username, serverName);
      const wanted = { userId, kind: "user", passwordHash, isGuest: guest !== undefined, session } as const;
      const user = await storage.names.intern(userId);
      return locks.run(registrationLock, async () => {
        const useToken = await this.#usingToken(stage, body);
        const create = await this.#creating({ ...wanted, user });
        const answer = await storage.commit((write) => {
          useToken(write);
          passed.end(write);
          return record(write, create(write));
        });
        this.#hasUsers = true;
        return answer;
      });
    });
  }

  /**
   * An account of an application service, which has said that it may have it.
   * @param session - undefined where nobody is to be logged in
   * @throws MatrixError M_USER_IN_USE 400
   */
  async registerFor(
    userId: UserId,
    session: NewSession | undefined,
    record: RecordAnswer,
  ): Promise<LoginResult> {
    const { storage, locks } = this.#with;
    const user = await storage.names.intern(userId);
    return locks.run(registrationLock, async () => {
      const create = await this.#creating({
        userId,
        kind: "appservice",
        isGuest: false,
        passwordHash: "",
        user,
        session,
      });
      return storage.commit((write) => record(write, create(write)));
    });
  }

  /** An account for who has the shared secret. @throws MatrixError as `checkAvailable` */
  async registerWithSecret(
    { username, password, admin, displayname }: SecretOrder,
    session: NewSession | undefined,
    record: RecordAnswer,
  ): Promise<SecretLogin> {
    const { storage, serverName, passwords, locks } = this.#with;
    await this.checkAvailable(username);
    const passwordHash = await passwords.hash(password);
    const userId = userIdForNewName(username, serverName);
    const user = await storage.names.intern(userId);
    const wanted = { userId, kind: "user", isGuest: false, passwordHash, user, session } as const;
    return locks.run(registrationLock, async () => {
      const create = await this.#creating({ ...wanted, admin, displayname });
      return storage.commit((write) => record(write, { ...create(write), home_server: serverName }));
    });
  }

  /** @throws MatrixError M_INVALID_USERNAME, M_USER_IN_USE, M_EXCLUSIVE 400 */
  async checkAvailable(username: string): Promise<void> {
    const { serverName, appServices } = this.#with;
    const userId = userIdForNewName(username, serverName);
    appServices.checkFree("users", userId, undefined);
    await this.#checkUnused(userId);
  }

  /** @throws MatrixError M_FORBIDDEN 403 */
  async isTokenValid(token: string): Promise<boolean> {
    this.#stage();
    return this.#with.tokens.isValid(token);
  }

  /** @throws MatrixError M_FORBIDDEN 403 where nobody can register */
  #stage(): Stage {
    const { registration } = this.#with.settings();
    if (registration === "closed") throw forbidden("This server gives out no accounts.");
    return registration === "open" ? dummyStage : this.#with.tokens.stage;
  }

  async #checkUnused(userId: UserId): Promise<void> {
    if ((await this.#with.storage.get("accounts", userId)) === undefined) return;
    throw new MatrixError("M_USER_IN_USE", 400, "This username is taken.");
  }

  async #usingToken(stage: Stage, body: RegisterBody): Promise<(write: Write) => void> {
    const { tokens } = this.#with;
    if (stage !== tokens.stage) return () => undefined;
    const use = await tokens.using(String(body.auth?.token));
    if (use === undefined) throw forbidden("This registration token has just been used up.");
    return use;
  }

  /**
   * Under the lock of registration. @returns stores the account
   * @throws MatrixError M_USER_IN_USE 400; M_FORBIDDEN 403 for a guest who is none any more
   */
  async #creating(wanted: Wanted): Promise<(write: Write) => LoginResult> {
    const { userId, kind, passwordHash, isGuest, user, session } = wanted;
    const guest = isGuest ? stillGuest(await this.#with.storage.get("accounts", userId)) : undefined;
    if (guest === undefined) await this.#checkUnused(userId);
    const mayOwn = kind === "user" && this.#with.settings().first_user_is_admin;
    const admin = wanted.admin ?? (mayOwn && !(await this.#anyUsers()));
    const { displayname = localpartOf(userId) } = wanted;
    const start = session && (await this.#with.sessions.starting(userId, session));
    const createdAt = this.#with.now();
    return (write) => {
      write.put(
        "accounts",
        { createdAt, ...guest, userId, passwordHash, kind, admin, deactivated: false, leaving: false },
        userId,
      );
      // A guest has a profile already.
      if (guest === undefined) {
        const profile = displayname === "" ? {} : { displayname };
        putProfile(write, { userId, user, profile, field: "displayname" });
      }
      return start === undefined ? { user_id: userId } : start(write);
    };
  }

  async #anyUsers(): Promise<boolean> {
    if (this.#hasUsers) return true;
    const isUser = ({ kind }: AccountRow) => kind === "user";
    this.#hasUsers = (await this.#with.storage.getAll("accounts")).some(isUser);
    return this.#hasUsers;
  }
}
