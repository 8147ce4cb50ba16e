import { encodeBase64Url } from "../../../src/matrix/base64.ts";
import type { JsonObject } from "../../../src/matrix/json.ts";
import type { AuthorizationQuery } from "../../../src/matrix/oauth/authorization-request.ts";
import { Answers } from "../../../src/worker-roomserver/node/answers.ts";
import type {
  ConsentPage,
  OAuth,
  OAuthForComponents,
  OAuthForNode,
  Page,
  PageTarget,
  TokenAnswer,
} from "../../../src/worker-roomserver/oauth/api.ts";
import { openOAuth } from "../../../src/worker-roomserver/oauth/open.ts";
import type { RegistrationSettings } from "../../../src/worker-roomserver/users/api.ts";
import { register, request, type TestUsers, testUsers } from "./users.ts";

export type TestOAuth = OAuth & OAuthForComponents & OAuthForNode;
/** A homeserver as far as OAuth is concerned; `reopen` as for users. */
export type OAuthHome = { users: TestUsers; oauth: TestOAuth; reopen: () => Promise<OAuthHome> };

/** With alice, whose password is `secret`. */
export async function oauthHome(settings: Partial<RegistrationSettings> = {}): Promise<OAuthHome> {
  const users = await testUsers();
  await register(users, "alice", { inhibit_login: true });
  Object.assign(users.world.settings, settings);
  return openedOver(users);
}

async function openedOver(users: TestUsers): Promise<OAuthHome> {
  const { storage, world } = users;
  const now = () => world.time;
  const oauth = openOAuth({ storage, answers: await Answers.open(storage, now), users, now });
  return { users, oauth, reopen: async () => openedOver(await users.reopen()) };
}

export const deviceCode = "urn:ietf:params:oauth:grant-type:device_code";
export const redirectUri = "https://app.example.com/callback";
export const metadata: JsonObject = {
  client_uri: "https://example.com/",
  client_name: "An app",
  redirect_uris: [redirectUri, "com.example.app:/callback"],
  grant_types: ["authorization_code", "refresh_token", deviceCode],
  application_type: "native",
};
export const verifier = "a-secret-of-the-app-that-is-long-enough-for-it";
export const scopeOf = (deviceId: string) => `urn:matrix:client:api:* urn:matrix:client:device:${deviceId}`;

export async function challengeOf(verifier: string): Promise<string> {
  const bytes = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier));
  return encodeBase64Url(new Uint8Array(bytes));
}

/** What the app asks for. */
export async function queryFor({ oauth }: OAuthHome, deviceId = "PHONE"): Promise<AuthorizationQuery> {
  const { client_id } = await oauth.registerClient(metadata);
  return {
    response_type: "code",
    client_id,
    redirect_uri: redirectUri,
    scope: scopeOf(deviceId),
    state: "state",
    response_mode: "fragment",
    code_challenge: await challengeOf(verifier),
    code_challenge_method: "S256",
  };
}

export function expectPage<P extends Page["page"]>(page: Page, name: P): Page & { page: P } {
  if (page.page !== name) throw new Error(`the page should be ${name}, and is ${JSON.stringify(page)}`);
  return page as Page & { page: P };
}

export async function consentTo({ oauth }: OAuthHome, target: PageTarget): Promise<ConsentPage> {
  return expectPage(await oauth.signIn(target, "alice", "secret"), "consent");
}

/** The code that alice's word brings the app. */
export async function codeFor(home: OAuthHome, deviceId = "PHONE"): Promise<string> {
  const query = await queryFor(home, deviceId);
  const { session } = await consentTo(home, { for: "authorize", query });
  const { to } = expectPage(await home.oauth.decide(session, true), "redirect");
  const code = new URLSearchParams(new URL(to).hash.slice(1)).get("code");
  if (code === null) throw new Error(`no code in ${to}`);
  return code;
}

export const redeem = async (
  { oauth }: OAuthHome,
  code: string,
  change: object = {},
  id = request(),
): Promise<TokenAnswer> => {
  const { client_id } = await oauth.registerClient(metadata);
  const form = { client_id, code, redirect_uri: redirectUri, code_verifier: verifier };
  return oauth.token(id, { grant_type: "authorization_code", ...form, ...change });
};

export const refreshed = async ({ oauth }: OAuthHome, refresh_token: string, change: object = {}) => {
  const { client_id } = await oauth.registerClient(metadata);
  return oauth.token(request(), { grant_type: "refresh_token", client_id, refresh_token, ...change });
};

/** Whether an access token is good. */
export const works = ({ users }: OAuthHome, token: string): Promise<boolean> =>
  users.authenticate(token).then(
    () => true,
    () => false,
  );
