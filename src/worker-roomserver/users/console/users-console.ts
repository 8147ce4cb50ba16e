import { forbidden, invalidParam, MatrixError, notFound } from "../../../matrix/errors.ts";
import { localpartOf, type ServerName } from "../../../matrix/identifiers.ts";
import type { JsonObject } from "../../../matrix/json.ts";
import type { Answers } from "../../node/answers.ts";
import type { KeyedLock } from "../../node/keyed-lock.ts";
import type { RequestId } from "../../node/requester.ts";
import type { Storage } from "../../storage/api.ts";
import type { AccountRow } from "../../storage/schema.ts";
import type { Accounts } from "../accounts.ts";
import type { Belongings } from "../api.ts";
import { devicesOf, removalOfDevices } from "../device-rows.ts";
import { described } from "../devices.ts";
import { checkNewPassword, type Passwords } from "../passwords.ts";
import { putProfile } from "../profile-row.ts";
import type { Registration } from "../registration.ts";
import { registrationLock } from "../registration-tokens.ts";
import { userIdForNewName } from "../user-names.ts";
import type { UserChange, UserDetails, UserListing, UsersConsole, WantedUser } from "./api.ts";
import { TokenConsole } from "./registration-tokens.ts";
import { allAccounts, countUsers, listing, listUsers, profileOf } from "./user-list.ts";

export type UsersConsoleOptions = {
  storage: Storage;
  answers: Answers;
  locks: KeyedLock<string>;
  serverName: ServerName;
  /** Milliseconds since 1970. */
  now: () => number;
  passwords: Passwords;
  accounts: Accounts;
  registration: Pick<Registration, "checkAvailable">;
  belongings: Belongings;
};

/**
 * The key of the lock under which accounts may cease to be administrators: two of them must not take it from one another
 * at once. Whoever holds it may take the lock of an account, and never the other way round. No user id looks like it.
 */
const adminsLock = "administrators";
const longestDisplayName = 256;

export function openUsersConsole(options: UsersConsoleOptions): UsersConsole {
  const { storage } = options;
  const accounts = new AccountConsole(options);
  const tokens = new TokenConsole(options);
  return {
    list: (filter, page) => listUsers(storage, filter, page),
    get: (userId) => accounts.get(userId),
    create: (request, wanted) => accounts.create(request, wanted),
    change: (userId, change) => accounts.change(userId, change),
    setPassword: (userId, how) => accounts.setPassword(userId, how),
    deactivate: (request, userId, how) => accounts.deactivate(request, userId, how),
    deleteDevices: (userId, deviceIds) => accounts.deleteDevices(userId, deviceIds),
    counts: () => countUsers(storage),
    registrationTokens: () => tokens.list(),
    registrationToken: (token) => tokens.get(token),
    createRegistrationToken: (request, wanted) => tokens.create(request, wanted),
    changeRegistrationToken: (token, change) => tokens.change(token, change),
    deleteRegistrationToken: (token) => tokens.delete(token),
  };
}

/** What the owner does with single accounts. */
class AccountConsole {
  readonly #with: UsersConsoleOptions;

  constructor(options: UsersConsoleOptions) {
    this.#with = options;
  }

  async get(userId: string): Promise<UserDetails> {
    const [account, profile, devices] = await Promise.all([
      this.#account(userId),
      this.#with.storage.get("profiles", userId),
      devicesOf(this.#with.storage, userId),
    ]);
    const listed = { account, profile: profileOf(profile?.json) };
    return {
      ...listing(listed),
      has_password: account.passwordHash !== "",
      profile: listed.profile,
      devices: devices.map(described),
    };
  }

  create(request: RequestId, { username, password, displayname, admin }: WantedUser): Promise<UserListing> {
    const { answers, storage, serverName, passwords, locks, registration, now } = this.#with;
    return answers.once<UserListing>(request, async (record) => {
      await registration.checkAvailable(username);
      if (password !== undefined) checkNewPassword(password);
      if (displayname !== undefined && displayname.length > longestDisplayName) {
        throw invalidParam(`A display name has at most ${longestDisplayName} characters.`);
      }
      const passwordHash = password === undefined ? "" : await passwords.hash(password);
      const userId = userIdForNewName(username, serverName);
      const user = await storage.names.intern(userId);
      return locks.run(registrationLock, async () => {
        if ((await storage.get("accounts", userId)) !== undefined) {
          throw new MatrixError("M_USER_IN_USE", 400, "This username is taken.");
        }
        const account: AccountRow = {
          ...{ userId, passwordHash, createdAt: now(), kind: "user" },
          ...{ admin: admin === true, deactivated: false, leaving: false },
        };
        const profile = { displayname: displayname ?? localpartOf(userId) };
        return storage.commit((write) => {
          write.put("accounts", account, userId);
          putProfile(write, { userId, user, profile, field: "displayname" });
          return record(write, listing({ account, profile }));
        });
      });
    });
  }

  async change(userId: string, change: UserChange): Promise<UserListing> {
    const { storage, locks } = this.#with;
    const takesAway = change.admin === false || change.locked === true;
    return this.#keepingAnAdmin(takesAway ? userId : undefined, () =>
      locks.run(userId, async () => {
        const account = await this.#active(userId);
        if (change.admin === true && account.kind !== "user") {
          throw invalidParam(
            "Only users can be administrators: this is a guest, or an application service's.",
          );
        }
        const { admin = account.admin, locked = account.locked, suspended = account.suspended } = change;
        const changed: AccountRow = { ...account, admin };
        if (locked !== undefined) changed.locked = locked;
        if (suspended !== undefined) changed.suspended = suspended;
        const [profile, user] = await Promise.all([
          storage.get("profiles", userId),
          storage.names.intern(userId),
        ]);
        await storage.commit((write) => {
          write.put("accounts", changed, userId);
          // What is held open for the user may have to end.
          write.append({ topic: "session", user });
        });
        return listing({ account: changed, profile: profileOf(profile?.json) });
      }),
    );
  }

  async setPassword(userId: string, how: { password: string; logoutDevices: boolean }): Promise<void> {
    if ((await this.#active(userId)).kind !== "user") {
      throw invalidParam("Guests and users of application services have no password.");
    }
    const { password, logoutDevices } = how;
    await this.#with.accounts.setPassword(
      userId,
      password,
      () => logoutDevices,
      () => undefined,
    );
  }

  async deactivate(request: RequestId, userId: string, { erase }: { erase: boolean }): Promise<void> {
    const { answers, accounts } = this.#with;
    await answers.once<JsonObject>(request, async (record) => {
      await this.#active(userId);
      return this.#keepingAnAdmin(userId, () => accounts.close(userId, erase, (write) => record(write, {})));
    });
  }

  async deleteDevices(userId: string, deviceIds?: readonly string[]): Promise<void> {
    const { storage, locks } = this.#with;
    const gone = deviceIds && new Set(deviceIds);
    await locks.run(userId, async () => {
      await this.#account(userId);
      const isGone = (deviceId: string) => gone?.has(deviceId) ?? true;
      await storage.commit(await removalOfDevices(this.#with, userId, isGone));
    });
  }

  /**
   * Runs what may take an administrator away, if another one is left.
   * @param userId - undefined: it takes none
   * @throws MatrixError M_FORBIDDEN 403
   */
  #keepingAnAdmin<T>(userId: string | undefined, task: () => Promise<T>): Promise<T> {
    if (userId === undefined) return task();
    return this.#with.locks.run(adminsLock, async () => {
      let isLast = false;
      for await (const { userId: other, admin, locked, deactivated } of allAccounts(this.#with.storage)) {
        if (!admin || locked || deactivated) continue;
        isLast = other === userId;
        if (!isLast) break;
      }
      if (isLast) throw forbidden("This is the only administrator: somebody else has to be one first.");
      return task();
    });
  }

  async #active(userId: string): Promise<AccountRow> {
    const account = await this.#account(userId);
    if (account.deactivated) throw forbidden("This account has been deactivated.");
    return account;
  }

  async #account(userId: string): Promise<AccountRow> {
    const account = await this.#with.storage.get("accounts", userId);
    if (account === undefined) throw notFound("There is no such user here.");
    return account;
  }
}
