import { forbidden, MatrixError } from "../../matrix/errors.ts";
import { parseUserId, type ServerName } from "../../matrix/identifiers.ts";
import type { KeyedLock } from "../node/keyed-lock.ts";
import type { Requester, RequestId } from "../node/requester.ts";
import type { Storage } from "../storage/api.ts";
import type { OwnerRow } from "../storage/schema.ts";
import type { Belongings, Claim, GrantedLogin, RefreshResult } from "./api.ts";
import type { Credentials } from "./credentials.ts";
import { removalOfDevices, tokensOf } from "./device-rows.ts";
import { newSession, type Sessions } from "./sessions.ts";
import { hashToken } from "./tokens.ts";
import { identifiedUserId } from "./user-names.ts";

export type GrantedLoginsOptions = {
  storage: Storage;
  locks: KeyedLock<string>;
  serverName: ServerName;
  credentials: Credentials;
  sessions: Sessions;
  belongings: Required<Belongings>;
};

/** Logins that a user has allowed on a page, as UsersForOAuth says. */
export class GrantedLogins {
  readonly #with: GrantedLoginsOptions;

  constructor(options: GrantedLoginsOptions) {
    this.#with = options;
  }

  async ownerOf(user: string, password: string): Promise<OwnerRow | undefined> {
    const { credentials, serverName } = this.#with;
    const account = await credentials.check(identifiedUserId({ user }, serverName), password);
    return account && { userId: account.userId, mark: await hashToken(account.passwordHash) };
  }

  async isOwner({ userId, mark }: OwnerRow): Promise<boolean> {
    const account = await this.#with.storage.get("accounts", userId);
    if (account === undefined || account.deactivated) return false;
    return (await hashToken(account.passwordHash)) === mark;
  }

  async requesterFor(userId: string): Promise<Requester> {
    const account = await this.#with.storage.get("accounts", userId);
    if (account === undefined || account.deactivated) throw forbidden("This account has been deactivated.");
    return { userId: parseUserId(userId), kind: account.kind, admin: account.admin };
  }

  async logIn<T>(owner: OwnerRow, login: GrantedLogin, claim: Claim<T>): Promise<T | undefined> {
    const { storage, locks, sessions } = this.#with;
    const { deviceId, displayName, oauth } = login;
    const made = await newSession({
      device_id: deviceId,
      initial_device_display_name: displayName,
      refresh_token: true,
    });
    return locks.run(owner.userId, async () => {
      const use = (await this.isOwner(owner)) ? await claim() : undefined;
      if (use === undefined) return undefined;
      const start = await sessions.starting(owner.userId, { ...made, oauth });
      return storage.commit((write) => use(write, start(write)));
    });
  }

  async refresh(request: RequestId, refreshToken: string, client: string): Promise<RefreshResult> {
    try {
      return await this.#with.sessions.refresh(request, refreshToken, client);
    } catch (error) {
      if (error instanceof MatrixError && error.errcode === "M_UNKNOWN_TOKEN")
        await this.#suspect(refreshToken);
      throw error;
    }
  }

  /** @see https://spec.matrix.org/v1.19/client-server-api/#refresh-token-grant */
  async #suspect(refreshToken: string): Promise<void> {
    const row = await this.#with.storage.get("tokens", await hashToken(refreshToken));
    if (row?.kind === "spent" && row.oauth !== undefined) await this.endLogin(row.userId, row.oauth.grant);
  }

  async endToken(token: string): Promise<void> {
    const { storage } = this.#with;
    const hash = await hashToken(token);
    const owner = await storage.get("tokens", hash);
    if (owner?.kind !== "access" && owner?.kind !== "refresh") return;
    await this.#end(owner.userId, async () => {
      const row = await storage.get("tokens", hash);
      // Meanwhile it may have gone, and the device have logged in anew.
      return row?.kind === "access" || row?.kind === "refresh" ? row.deviceId : undefined;
    });
  }

  endLogin(userId: string, grant: string): Promise<void> {
    return this.#end(userId, async () => {
      const tokens = await tokensOf(this.#with.storage, userId);
      return tokens.find(({ kind, oauth }) => kind !== "spent" && oauth?.grant === grant)?.deviceId;
    });
  }

  endDevice(userId: string, deviceId: string): Promise<void> {
    return this.#end(userId, async () => deviceId);
  }

  async isFromOAuth(userId: string, deviceId: string): Promise<boolean> {
    return (await tokensOf(this.#with.storage, userId, deviceId)).some(({ oauth }) => oauth !== undefined);
  }

  /** @param find - which device, asked under the account's lock */
  #end(userId: string, find: () => Promise<string | undefined>): Promise<void> {
    const { storage, locks } = this.#with;
    return locks.run(userId, async () => {
      const deviceId = await find();
      if (deviceId === undefined) return;
      await storage.commit(await removalOfDevices(this.#with, userId, (other) => other === deviceId));
    });
  }
}
