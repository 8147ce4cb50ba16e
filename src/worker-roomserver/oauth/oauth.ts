import { MatrixError } from "../../matrix/errors.ts";
import { deviceCodeGrant } from "../../matrix/oauth/client-metadata.ts";
import { oauthError } from "../../matrix/oauth/errors.ts";
import { KeyedLock } from "../node/keyed-lock.ts";
import type { RequestId } from "../node/requester.ts";
import { AccountPages } from "./account-page.ts";
import type { OAuth, OAuthForComponents, OAuthForNode, TokenAnswer, TokenForm } from "./api.ts";
import { Clients } from "./clients.ts";
import { CodeGrant } from "./code-grant.ts";
import { confirmCrossSigningReset } from "./cross-signing-reset.ts";
import { DeviceGrant } from "./device-grant.ts";
import { Pages } from "./pages.ts";
import { invalidGrant, needed, type OAuthOptions, type OAuthParts, tokenAnswer } from "./parts.ts";
import { Secrets } from "./secrets.ts";

/** Each part says what it does. */
export function makeOAuth(options: OAuthOptions): OAuth & OAuthForComponents & OAuthForNode {
  const clients = new Clients({ ...options, locks: new KeyedLock<string>() });
  const secrets = new Secrets(options);
  const parts: OAuthParts = { ...options, clients, secrets };
  const codeGrant = new CodeGrant(parts);
  const deviceGrant = new DeviceGrant(parts);
  const pages = new Pages({ ...parts, codeGrant, deviceGrant, accountPages: new AccountPages(parts) });

  const token = (request: RequestId, form: TokenForm): Promise<TokenAnswer> => {
    switch (form.grant_type) {
      case "authorization_code":
        return codeGrant.redeem(request, form);
      case deviceCodeGrant:
        return deviceGrant.redeem(request, form);
      case "refresh_token":
        return refreshed(options, request, form);
    }
    throw oauthError("unsupported_grant_type", "This server knows no such grant_type.");
  };

  return {
    registerClient: (metadata) => clients.register(metadata),
    token: async (request, form) => token(request, form),
    authorizeDevice: (clientId, scope) => deviceGrant.begin(clientId, scope),
    revoke: (token) => options.users.endToken(token),
    open: (target) => pages.open(target),
    signIn: (target, user, password) => pages.signIn(target, user, password),
    createAccount: (request, target, account) => pages.createAccount(request, target, account),
    decide: (session, allow) => pages.decide(session, allow),
    manage: (request, session, act) => pages.manage(request, session, act),

    crossSigningResetAllowed: async (userId) => (await secrets.resetUntil(userId)) !== undefined,
    confirmCrossSigningReset: (requester, purpose, auth) =>
      confirmCrossSigningReset(parts, requester, purpose, auth),

    dropExpired: () => secrets.dropExpired(),
    dropUnusedClients: () => clients.dropUnused(),
  };
}

/** @see https://spec.matrix.org/v1.19/client-server-api/#token-refresh-flow */
async function refreshed({ users }: OAuthOptions, request: RequestId, form: TokenForm): Promise<TokenAnswer> {
  const refreshToken = needed(form.refresh_token, "refresh_token");
  const client = needed(form.client_id, "client_id");
  try {
    return tokenAnswer(await users.refreshFor(request, refreshToken, client));
  } catch (error) {
    if (error instanceof MatrixError && error.errcode === "M_UNKNOWN_TOKEN") throw invalidGrant();
    throw error;
  }
}
