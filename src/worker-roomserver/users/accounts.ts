import { forbidden } from "../../matrix/errors.ts";
import { parseUserId } from "../../matrix/identifiers.ts";
import type { JsonObject } from "../../matrix/json.ts";
import type { Answers } from "../node/answers.ts";
import type { KeyedLock } from "../node/keyed-lock.ts";
import type { Requester, RequestId } from "../node/requester.ts";
import type { Storage, Write } from "../storage/api.ts";
import type { AccountRow, Position } from "../storage/schema.ts";
import type { Belongings, ChangePasswordBody, DeactivateBody, LeaveRooms, UiaChallenge } from "./api.ts";
import type { Credentials } from "./credentials.ts";
import { removalOfDevices } from "./device-rows.ts";
import type { Erasures } from "./erasures.ts";
import { checkNewPassword, type Passwords } from "./passwords.ts";
import type { Passed, Uia } from "./uia.ts";

export type AccountsOptions = {
  storage: Storage;
  answers: Answers;
  locks: KeyedLock<string>;
  passwords: Passwords;
  credentials: Credentials;
  uia: Uia;
  erasures: Erasures;
  leaveRooms: LeaveRooms;
  belongings: Required<Belongings>;
};

type Deactivated = { id_server_unbind_result: "success" };

/** What users do with their accounts. @see https://spec.matrix.org/v1.19/client-server-api/#legacy-account-management */
export class Accounts {
  readonly #with: AccountsOptions;

  constructor(options: AccountsOptions) {
    this.#with = options;
  }

  async isLocal(userId: string): Promise<boolean> {
    const account = await this.#with.storage.get("accounts", userId);
    return account !== undefined && !account.deactivated;
  }

  /** Asks for the user's password. @see UsersForConfirmation.confirmOwner */
  confirm(
    { userId }: Requester,
    purpose: string,
    auth: JsonObject | undefined,
  ): Promise<Passed | UiaChallenge> {
    const { uia, credentials } = this.#with;
    return uia.attempt(JSON.stringify([purpose, userId]), [credentials.passwordStage(userId)], auth);
  }

  changePassword(
    request: RequestId,
    requester: Requester,
    body: ChangePasswordBody,
  ): Promise<JsonObject | UiaChallenge> {
    const { answers } = this.#with;
    return answers.once<JsonObject | UiaChallenge>(request, async (record) => {
      checkNewPassword(body.new_password); // before anybody is asked for the old one
      const passed = await this.confirm(requester, "password", body.auth);
      if ("uia" in passed) return passed;
      const { userId, deviceId } = requester;
      const isOther = (other: string) => body.logout_devices !== false && other !== deviceId;
      return this.setPassword(userId, body.new_password, isOther, (write) => {
        passed.end(write);
        return record(write, {});
      });
    });
  }

  /**
   * Gives an account a password, whoever has decided that.
   * @param endsDevice - which of its devices are logged out
   * @param also - what else goes into the unit
   * @throws MatrixError M_FORBIDDEN 403 when the account has been deactivated; M_WEAK_PASSWORD, M_INVALID_PARAM 400
   */
  async setPassword<T>(
    userId: string,
    password: string,
    endsDevice: (deviceId: string) => boolean,
    also: (write: Write) => T,
  ): Promise<T> {
    const { storage, locks, passwords } = this.#with;
    checkNewPassword(password);
    const passwordHash = await passwords.hash(password);
    return locks.run(userId, async () => {
      const account = await this.#active(userId);
      const remove = await removalOfDevices(this.#with, userId, endsDevice);
      return storage.commit((write) => {
        write.put("accounts", { ...account, passwordHash }, userId);
        remove(write);
        return also(write);
      });
    });
  }

  /** The account's name stays taken. The rooms are left once the account is gone, without the client waiting. */
  deactivate(
    request: RequestId,
    requester: Requester,
    body: DeactivateBody,
  ): Promise<Deactivated | UiaChallenge> {
    const { answers } = this.#with;
    return answers.once<Deactivated | UiaChallenge>(request, async (record) => {
      const passed = await this.confirm(requester, "deactivate", body.auth);
      if ("uia" in passed) return passed;
      return this.close(requester.userId, body.erase === true, (write) => {
        passed.end(write);
        return record<Deactivated>(write, { id_server_unbind_result: "success" }); // there is nothing to unbind
      });
    });
  }

  /**
   * Closes an account, whoever has decided that: see `deactivate`.
   * @param also - what else goes into the unit
   * @throws MatrixError M_FORBIDDEN 403 when it is closed already
   */
  async close<T>(userId: string, erase: boolean, also: (write: Write) => T): Promise<T> {
    const { storage, locks, erasures } = this.#with;
    const user = await storage.names.intern(userId);
    return locks.run(userId, async () => {
      const account = await this.#active(userId);
      const remove = await removalOfDevices(this.#with, userId, () => true, true);
      const gone: AccountRow = { ...account, passwordHash: "", deactivated: true, leaving: true };
      let erasedAt: Position | undefined;
      const answer = await storage.commit((write) => {
        write.put("accounts", gone, userId);
        remove(write);
        if (erase) erasedAt = erasures.put(write, userId, user);
        return also(write);
      });
      if (erasedAt !== undefined) erasures.done(userId, erasedAt);
      void this.#leaveRooms(gone);
      return answer;
    });
  }

  /** See UsersForNode. */
  async finishDeactivations(): Promise<void> {
    const accounts = await this.#with.storage.getAll("accounts");
    await Promise.all(accounts.filter(({ leaving }) => leaving).map((account) => this.#leaveRooms(account)));
  }

  /** Nothing else writes the row of a deactivated account, so it needs no lock. */
  async #leaveRooms(account: AccountRow): Promise<void> {
    const { storage, leaveRooms } = this.#with;
    try {
      await leaveRooms(parseUserId(account.userId));
      await storage.commit((write) => write.put("accounts", { ...account, leaving: false }, account.userId));
    } catch (error) {
      console.error("hearth: a deactivated account has rooms left; the next start tries again", error);
    }
  }

  /** @throws MatrixError M_FORBIDDEN 403 when the account was deactivated meanwhile */
  async #active(userId: string): Promise<AccountRow> {
    const account = await this.#with.storage.get("accounts", userId);
    if (account === undefined || account.deactivated) throw forbidden("This account has been deactivated.");
    return account;
  }
}
