import { deviceCodeGrant } from "../../matrix/oauth/client-metadata.ts";
import { oauthError } from "../../matrix/oauth/errors.ts";
import { parseScope } from "../../matrix/oauth/scope.ts";
import { readUserCode, userCodeOf } from "../../matrix/oauth/user-code.ts";
import { KeyedLock } from "../node/keyed-lock.ts";
import type { RequestId } from "../node/requester.ts";
import { hashToken, newSecret } from "../users/tokens.ts";
import type { DeviceAuthorization, Page, TokenAnswer, TokenForm } from "./api.ts";
import { clientView } from "./clients.ts";
import { newGrantId } from "./code-grant.ts";
import {
  invalidGrant,
  needed,
  type OAuthParts,
  type Purpose,
  pageEnded,
  type SignedIn,
  tokenAnswer,
} from "./parts.ts";

/** Time to find another device, and to sign in there. */
export const deviceLifetimeMs = 15 * 60_000;
/** Anyone can ask for one, so there are only so many at a time. */
export const maxDevices = 500;
/** Seconds between two polls. */
export const pollInterval = 5;

type Polls = { next: number; interval: number };

/**
 * Logs in a device that shows a code, which its user types in elsewhere.
 * @see https://spec.matrix.org/v1.19/client-server-api/#device-authorisation-grant
 */
export class DeviceGrant {
  readonly #with: OAuthParts;
  readonly #locks = new KeyedLock<string>();
  /** When each device may ask again. Not stored: under the next leader it may ask at once. */
  readonly #polls = new Map<string, Polls>();

  constructor(parts: OAuthParts) {
    this.#with = parts;
  }

  async begin(clientId: string, scope: string): Promise<DeviceAuthorization> {
    const { storage, clients, now } = this.#with;
    const metadata = await clients.get(clientId);
    if (!metadata.grant_types.includes(deviceCodeGrant)) {
      throw oauthError("unauthorized_client", "The client has not registered for the device grant.");
    }
    const { deviceId, granted } = parseScope(scope);
    const all = IDBKeyRange.lowerBound("");
    const underWay = await storage.keysFromIndex("oauthSecrets", "userCode", all, maxDevices);
    if (underWay.length >= maxDevices) {
      throw oauthError("temporarily_unavailable", "Too many devices are logging in at the moment.", 503);
    }
    const deviceCode = newSecret("hearth_device_code");
    const key = await hashToken(deviceCode);
    const { code, hash: userCode } = await this.#freeUserCode();
    const { name: displayName } = clientView(metadata);
    const expiresAt = now() + deviceLifetimeMs;
    const row = { client: clientId, scope: granted, deviceId, displayName, userCode, expiresAt };
    await storage.commit((write) => write.put("oauthSecrets", { kind: "device", ...row }, key));
    return {
      device_code: deviceCode,
      user_code: code,
      expires_in: deviceLifetimeMs / 1000,
      interval: pollInterval,
    };
  }

  /** The device that shows this code and waits. @returns undefined for what is no such code */
  async waiting(typed: string) {
    const { storage, secrets } = this.#with;
    const code = readUserCode(typed);
    if (code === undefined) return undefined;
    const range = IDBKeyRange.only(await hashToken(code));
    const [key] = await storage.keysFromIndex("oauthSecrets", "userCode", range, 1);
    const row = key === undefined ? undefined : await secrets.find("device", key);
    return key === undefined || row === undefined || row.verdict !== undefined ? undefined : { key, row };
  }

  /** The user's word. Of two that come at once, for one device, one counts. */
  answer(signedIn: SignedIn<Extract<Purpose, { for: "device" }>>, allow: boolean): Promise<Page> {
    const { storage, secrets } = this.#with;
    const { device } = signedIn.purpose;
    return this.#locks.run(device, async () => {
      const row = await secrets.find("device", device);
      if (row === undefined || row.verdict !== undefined) throw pageEnded();
      await storage.commit((write) => {
        write.delete("oauthSecrets", signedIn.key);
        write.put("oauthSecrets", { ...row, verdict: allow ? signedIn.owner : "denied" }, device);
      });
      return { page: "done", what: allow ? "allowed" : "denied", client: row.displayName };
    });
  }

  redeem(request: RequestId, form: TokenForm): Promise<TokenAnswer> {
    const { answers, storage, secrets, users, now } = this.#with;
    return answers.once(request, async (record) => {
      const client = needed(form.client_id, "client_id");
      const key = await hashToken(needed(form.device_code, "device_code"));
      const row = await storage.get("oauthSecrets", key);
      if (row?.kind !== "device" || row.client !== client) throw invalidGrant();
      const { verdict, deviceId, displayName, scope } = row;
      if (now() >= row.expiresAt)
        throw oauthError("expired_token", "Nobody has allowed this device in time.");
      if (verdict === undefined) throw this.#poll(key);
      if (verdict === "denied") throw oauthError("access_denied", "The user said no.");
      const login = { deviceId, displayName, oauth: { client, grant: newGrantId() } };
      const answer = await users.logIn(verdict, login, async () => {
        if ((await secrets.find("device", key)) === undefined) return undefined;
        return (write, made) => {
          write.delete("oauthSecrets", key);
          return record(write, tokenAnswer(made, scope));
        };
      });
      if (answer === undefined) throw invalidGrant();
      this.#polls.delete(key);
      return answer;
    });
  }

  /** What a device is told that asks before its user has said anything. @see RFC 8628 section 3.5 */
  #poll(key: string) {
    const now = this.#with.now();
    const { next, interval } = this.#polls.get(key) ?? { next: 0, interval: pollInterval };
    const isEarly = now < next;
    const longer = isEarly ? interval + 5 : interval;
    this.#polls.delete(key); // to the end: the first are those that have not asked for longest
    this.#polls.set(key, { next: now + longer * 1000, interval: longer });
    const [oldest] = this.#polls.keys();
    if (this.#polls.size > maxDevices && oldest !== undefined) this.#polls.delete(oldest);
    if (isEarly) return oauthError("slow_down", `Please ask every ${longer} seconds at most.`);
    return oauthError("authorization_pending", "The user has not said anything yet.");
  }

  /** Of 34 bits two may be the same, and then the wrong device would be let in. */
  async #freeUserCode(): Promise<{ code: string; hash: string }> {
    for (;;) {
      const code = userCodeOf(crypto.getRandomValues(new Uint8Array(32)));
      const hash = await hashToken(code);
      const range = IDBKeyRange.only(hash);
      const taken = await this.#with.storage.keysFromIndex("oauthSecrets", "userCode", range, 1);
      if (taken.length === 0) return { code, hash };
    }
  }
}
