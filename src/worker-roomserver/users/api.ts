import type { JsonObject } from "../../matrix/json.ts";
import type { RequestId, Requester } from "../node/requester.ts";

/** Who a token belongs to, for the service worker's cache of tokens. */
export type TokenInfo = { requester: Requester; expiresAt: number | null };

/** What a UIA-protected call gets when more stages are needed: goes to the client as a 401 with this body. */
export type UiaChallenge = { uia: JsonObject };

export type LoginResult = {
  user_id: string;
  device_id?: string | undefined;
  access_token?: string | undefined;
  refresh_token?: string | undefined;
  expires_in_ms?: number | undefined;
};

/** Accounts, devices, tokens, profiles. Bodies come checked for their shape at the door. */
export interface Users {
  /** @throws MatrixError M_UNKNOWN_TOKEN 401 (with `soft_logout` when it has only expired) */
  authenticate(token: string): Promise<TokenInfo>;
  register(request: RequestId, kind: "user" | "guest", body: JsonObject): Promise<LoginResult | UiaChallenge>;
  isUsernameAvailable(username: string): Promise<{ available: true }>;
  login(request: RequestId, body: JsonObject): Promise<LoginResult>;
  refresh(request: RequestId, refreshToken: string): Promise<JsonObject>;
  logout(requester: Requester): Promise<void>;
  logoutAll(requester: Requester): Promise<void>;
  changePassword(request: RequestId, requester: Requester, body: JsonObject): Promise<JsonObject | UiaChallenge>;
  deactivate(request: RequestId, requester: Requester, body: JsonObject): Promise<JsonObject | UiaChallenge>;
  devices(requester: Requester): Promise<JsonObject[]>;
  device(requester: Requester, deviceId: string): Promise<JsonObject>;
  renameDevice(requester: Requester, deviceId: string, displayName: string): Promise<void>;
  deleteDevices(
    request: RequestId,
    requester: Requester,
    deviceIds: string[],
    auth: JsonObject | undefined,
  ): Promise<JsonObject | UiaChallenge>;
  /** The whole profile, `{}` for an account without one. @throws MatrixError M_NOT_FOUND if there is no such user */
  profile(userId: string): Promise<JsonObject>;
  setProfileField(requester: Requester, userId: string, field: string, value: JsonObject[string]): Promise<void>;
}

/** What other components in the worker ask of it. */
export interface UsersForComponents {
  isLocalAccount(userId: string): Promise<boolean>;
  /** `displayname` and `avatar_url` for a new member event. */
  memberProfile(userId: string): Promise<JsonObject>;
  /** Called after a profile's `displayname` or `avatar_url` has changed, to bring member events up to date. */
  onProfileChanged(listener: (userId: string) => Promise<void>): void;
}
