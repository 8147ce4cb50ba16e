import { forbidden, invalidParam, MatrixError, notFound } from "../../matrix/errors.ts";
import { parseUserId, type ServerName, serverNameOf } from "../../matrix/identifiers.ts";
import type { KeyedLock } from "../node/keyed-lock.ts";
import type { Requester } from "../node/requester.ts";
import type { Storage } from "../storage/api.ts";
import type { AccountRow } from "../storage/schema.ts";
import type { AccountModeration, Whois } from "./api.ts";
import { devicesOf } from "./device-rows.ts";

/**
 * What administrators do with others' accounts.
 * @see https://spec.matrix.org/v1.19/client-server-api/#account-moderation
 */
export class Moderation {
  readonly #storage: Storage;
  readonly #locks: KeyedLock<string>;
  readonly #serverName: ServerName;

  constructor(options: { storage: Storage; locks: KeyedLock<string>; serverName: ServerName }) {
    this.#storage = options.storage;
    this.#locks = options.locks;
    this.#serverName = options.serverName;
  }

  async get(requester: Requester, userId: string): Promise<AccountModeration> {
    requireAdmin(requester);
    const { locked = false, suspended = false } = await this.#moderated(requester, userId);
    return { locked, suspended };
  }

  async set(requester: Requester, userId: string, change: Partial<AccountModeration>): Promise<void> {
    requireAdmin(requester);
    if (requester.userId === userId) throw forbidden("Nobody can lock or suspend themselves.");
    await this.#locks.run(userId, async () => {
      const account = await this.#moderated(requester, userId);
      const user = await this.#storage.names.intern(userId);
      await this.#storage.commit((write) => {
        write.put("accounts", { ...account, ...change }, userId);
        write.append({ topic: "session", user });
      });
    });
  }

  async whois(requester: Requester, userId: string): Promise<Whois> {
    if (requester.userId !== userId) requireAdmin(requester);
    await this.#account(userId);
    const devices = await devicesOf(this.#storage, userId);
    const described = devices.map(
      ({ deviceId, lastSeenTs, lastSeenIp }): [string, Whois["devices"][string]] => {
        const connection = { last_seen: lastSeenTs, ...(lastSeenIp !== "" && { ip: lastSeenIp }) };
        return [deviceId, { sessions: [{ connections: [connection] }] }];
      },
    );
    return { user_id: userId, devices: Object.fromEntries(described) };
  }

  async #moderated(requester: Requester, userId: string): Promise<AccountRow> {
    const account = await this.#account(userId);
    if (account.admin && userId !== requester.userId) {
      throw forbidden("Other administrators are out of reach.");
    }
    return account;
  }

  async #account(userId: string): Promise<AccountRow> {
    if (serverNameOf(parseUserId(userId)) !== this.#serverName) {
      throw invalidParam("This is a user of another server.");
    }
    const account = await this.#storage.get("accounts", userId);
    if (account === undefined || account.deactivated) throw notFound("There is no such user here.");
    return account;
  }
}

/** Before any look at the account: who is no administrator must not learn which there are. */
function requireAdmin({ admin }: Requester): void {
  if (!admin) throw forbidden("This is for administrators of this server.");
}

/** What every token of a locked account is answered, and every attempt to get another. */
export const lockedAccount = () =>
  new MatrixError("M_USER_LOCKED", 401, "This account has been locked by an administrator.", {
    soft_logout: true,
  });
