import { MatrixError } from "../../matrix/errors.ts";
import { parseUserId } from "../../matrix/identifiers.ts";
import type { Answers } from "../node/answers.ts";
import type { KeyedLock } from "../node/keyed-lock.ts";
import type { RequestId } from "../node/requester.ts";
import type { Storage, Write } from "../storage/api.ts";
import type { DeviceRow, OAuthLogin, TokenRow } from "../storage/schema.ts";
import type { Belongings, LoginResult, RefreshResult, SessionRequest, TokenInfo } from "./api.ts";
import { checkDeviceDisplayName, checkDeviceId, randomDeviceId } from "./device-names.ts";
import { type KeyedToken, tokensOf } from "./device-rows.ts";
import { lockedAccount } from "./moderation.ts";
import { hashToken, type NewToken, newToken } from "./tokens.ts";

/** How long an access token lasts that can be refreshed. Others do not expire. */
export const accessTokenLifetimeMs = 60 * 60_000;
/** How long a refresh token of OAuth is known for one that was good once: whoever shows it may have stolen it. */
export const spentTokenKeptMs = 7 * 24 * 60 * 60_000;
/** A device's `last_seen_ts` is no older than this while it is in use. */
export const lastSeenEveryMs = 60_000;

/** A device's login, made but not stored. */
export type NewSession = {
  deviceId: string;
  displayName: string;
  access: NewToken;
  /** Undefined for a client that cannot refresh. */
  refresh: NewToken | undefined;
  /** Where it comes by OAuth. */
  oauth?: OAuthLogin;
};

/** @throws MatrixError M_INVALID_PARAM 400 */
export async function newSession(asked: SessionRequest): Promise<NewSession> {
  const deviceId = asked.device_id ?? randomDeviceId();
  const displayName = asked.initial_device_display_name ?? "";
  checkDeviceId(deviceId);
  checkDeviceDisplayName(displayName);
  const refresh = asked.refresh_token === true ? await newToken("refresh") : undefined;
  return { deviceId, displayName, access: await newToken("access"), refresh };
}

/** Devices' logins: the tokens, from being given out to being taken back. */
export class Sessions {
  readonly #storage: Storage;
  readonly #answers: Answers;
  readonly #locks: KeyedLock<string>;
  readonly #belongings: Required<Belongings>;
  readonly #now: () => number;
  /** Devices whose `last_seen_ts` is being written, as `[user, device]` in JSON. */
  readonly #seen = new Set<string>();

  constructor(options: {
    storage: Storage;
    answers: Answers;
    locks: KeyedLock<string>;
    belongings: Required<Belongings>;
    now: () => number;
  }) {
    this.#storage = options.storage;
    this.#answers = options.answers;
    this.#locks = options.locks;
    this.#belongings = options.belongings;
    this.#now = options.now;
  }

  /**
   * Reads what a new login takes the place of: a device that is there keeps its name and loses its tokens, and what
   * others say. To be called, and its result used, under the account's lock.
   * @returns stores the login
   * @throws MatrixError M_USER_LOCKED 401
   */
  async starting(userId: string, session: NewSession): Promise<(write: Write) => LoginResult> {
    const { deviceId, access, refresh, oauth } = session;
    const [user, account, device, old, endFormer] = await Promise.all([
      this.#storage.names.intern(userId),
      this.#storage.get("accounts", userId),
      this.#storage.get("devices", [userId, deviceId]),
      tokensOf(this.#storage, userId, deviceId),
      this.#belongings.newLogin(userId, deviceId),
    ]);
    if (account?.locked) throw lockedAccount();
    const now = this.#now();
    return (write) => {
      for (const { hash } of old) write.delete("tokens", hash);
      endFormer(write);
      const displayName = device?.displayName ?? session.displayName;
      const lastSeenIp = device?.lastSeenIp ?? "";
      write.put("devices", { userId, deviceId, displayName, lastSeenTs: now, lastSeenIp });
      putTokens(write, { userId, deviceId, replaces: "", oauth }, { access, refresh }, now);
      if (old.length > 0) write.append({ topic: "session", user, detail: deviceId });
      return {
        user_id: userId,
        device_id: deviceId,
        access_token: access.token,
        ...(refresh && { refresh_token: refresh.token, expires_in_ms: accessTokenLifetimeMs }),
      };
    };
  }

  /**
   * Whose token this is. The first use of a token that came from a refresh ends those that it replaces.
   * @throws MatrixError M_UNKNOWN_TOKEN 401, with `soft_logout` for one that has expired; M_USER_LOCKED 401
   */
  async authenticate(token: string, options?: { evenLocked?: boolean }): Promise<TokenInfo> {
    return this.authenticateHash(await hashToken(token), options);
  }

  /** The same by a token's hash, for who has kept no more of it. */
  async authenticateHash(hash: string, { evenLocked = false } = {}): Promise<TokenInfo> {
    const { row, account, device } = await this.#storage.read(
      ["tokens", "accounts", "devices"],
      async (tx) => {
        const row = await tx.objectStore("tokens").get(hash);
        if (row === undefined) return {};
        const [account, device] = await Promise.all([
          tx.objectStore("accounts").get(row.userId),
          tx.objectStore("devices").get([row.userId, row.deviceId]),
        ]);
        return { row, account, device };
      },
    );
    if (row?.kind !== "access" || account === undefined || device === undefined) throw unknownToken();
    if (account.locked && !evenLocked) throw lockedAccount();
    if (row.expiresAt !== null && this.#now() >= row.expiresAt) throw expiredToken();
    if (row.replaces !== "") await this.#confirm(row, hash);
    this.#touch(device);
    return {
      requester: {
        userId: parseUserId(account.userId),
        deviceId: device.deviceId,
        kind: account.kind,
        admin: account.admin,
        session: hash,
        ...(account.suspended && { suspended: true }),
      },
      expiresAt: row.expiresAt,
    };
  }

  /**
   * Gives new tokens for a refresh token, which stays good until the first use of one of them: a client that never
   * got the answer can ask again.
   * @param client - the OAuth client that asks. Tokens of OAuth are refreshed by OAuth alone, by the client they are for
   * @throws MatrixError M_UNKNOWN_TOKEN 401
   * @see https://spec.matrix.org/v1.19/client-server-api/#refreshing-access-tokens
   */
  refresh(request: RequestId, refreshToken: string, client?: string): Promise<RefreshResult> {
    return this.#answers.once<RefreshResult>(request, async (record) => {
      const hash = await hashToken(refreshToken);
      const tokens = { access: await newToken("access"), refresh: await newToken("refresh") };
      const owner = await this.#storage.get("tokens", hash);
      if (owner === undefined) throw unknownToken();
      return this.#locks.run(owner.userId, async () => {
        const { userId, deviceId } = owner;
        const all = await tokensOf(this.#storage, userId, deviceId);
        const used = all.find((row) => row.hash === hash);
        if (used?.kind !== "refresh" || used.oauth?.client !== client) throw unknownToken();
        if ((await this.#storage.get("accounts", userId))?.locked) throw lockedAccount();
        const now = this.#now();
        return this.#storage.commit((write) => {
          // Of the device's tokens this one stays with the access token that came with it, until the new are used.
          for (const row of all) {
            if (row.replaces !== used.replaces) endToken(write, row, used.replaces, now);
            else if (row.replaces !== "") putToken(write, { ...row, replaces: "" });
          }
          putTokens(write, { userId, deviceId, replaces: hash, oauth: used.oauth }, tokens, now);
          return record(write, {
            access_token: tokens.access.token,
            refresh_token: tokens.refresh.token,
            expires_in_ms: accessTokenLifetimeMs,
          });
        });
      });
    });
  }

  /** Ends the tokens that a pair replaces, now that one of the pair has been used. */
  #confirm({ userId, deviceId, replaces }: TokenRow, hash: string): Promise<void> {
    return this.#locks.run(userId, async () => {
      const all = await tokensOf(this.#storage, userId, deviceId);
      const used = all.find((row) => row.hash === hash);
      // Meanwhile logged out, or replaced by a second refresh: then it was one request too late.
      if (used === undefined) throw unknownToken();
      if (used.replaces !== replaces) return;
      await this.#storage.commit((write) => {
        for (const row of all) {
          if (row.replaces === replaces) putToken(write, { ...row, replaces: "" });
          else endToken(write, row, replaces, this.#now());
        }
      });
    });
  }

  /** Brings `last_seen_ts` up to date, in its own time: a request does not wait for it, nor fail with it. */
  #touch({ userId, deviceId, lastSeenTs }: DeviceRow): void {
    const key = JSON.stringify([userId, deviceId]);
    const now = this.#now();
    if (now - lastSeenTs < lastSeenEveryMs || this.#seen.has(key)) return;
    this.#seen.add(key);
    this.#locks
      .run(userId, async () => {
        const device = await this.#storage.get("devices", [userId, deviceId]);
        if (device === undefined) return; // removed meanwhile, and must stay so
        await this.#storage.commit((write) => write.put("devices", { ...device, lastSeenTs: now }), {
          relaxed: true,
        });
      })
      .catch((error: unknown) => console.warn("hearth: when a device was last seen is not stored", error))
      .finally(() => this.#seen.delete(key));
  }
}

function putTokens(
  write: Write,
  { oauth, ...names }: Pick<TokenRow, "userId" | "deviceId" | "replaces"> & { oauth: OAuthLogin | undefined },
  { access, refresh }: Pick<NewSession, "access" | "refresh">,
  now: number,
): void {
  const owner = { ...names, ...(oauth && { oauth }) };
  const expiresAt = refresh === undefined ? null : now + accessTokenLifetimeMs;
  write.put("tokens", { ...owner, kind: "access", expiresAt }, access.hash);
  if (refresh !== undefined)
    write.put("tokens", { ...owner, kind: "refresh", expiresAt: null }, refresh.hash);
}

/** @param replaced - key of the refresh token that has done its work: of OAuth, it is remembered */
function endToken(write: Write, { hash, userId, oauth }: KeyedToken, replaced: string, now: number): void {
  write.delete("tokens", hash);
  if (hash !== replaced || oauth === undefined) return;
  const expiresAt = now + spentTokenKeptMs;
  write.put("tokens", { userId, deviceId: "", kind: "spent", expiresAt, replaces: "", oauth }, hash);
}

function putToken(write: Write, { hash, ...row }: TokenRow & { hash: string }): void {
  write.put("tokens", row, hash);
}

export const unknownToken = () =>
  new MatrixError("M_UNKNOWN_TOKEN", 401, "This token is not known here: please log in.");
export const expiredToken = () =>
  new MatrixError("M_UNKNOWN_TOKEN", 401, "This access token has expired: please refresh it.", {
    soft_logout: true,
  });
