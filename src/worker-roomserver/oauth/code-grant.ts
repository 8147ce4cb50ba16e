import { encodeBase64Url } from "../../matrix/base64.ts";
import { MatrixError } from "../../matrix/errors.ts";
import type { AuthorizationQuery } from "../../matrix/oauth/authorization-request.ts";
import {
  type AuthorizationRequest,
  authorizationRequest,
  callbackOf,
  callbackUrl,
  refusedUrl,
  verifierGrammar,
} from "../../matrix/oauth/authorization-request.ts";
import { isOAuthError, oauthError } from "../../matrix/oauth/errors.ts";
import type { RequestId } from "../node/requester.ts";
import type { OAuthCodeRow } from "../storage/schema.ts";
import { hashToken, newSecret } from "../users/tokens.ts";
import type { ClientView, Page, TokenAnswer, TokenForm } from "./api.ts";
import { clientView } from "./clients.ts";
import { invalidGrant, needed, type OAuthParts, type Purpose, type SignedIn, tokenAnswer } from "./parts.ts";

/** The app waits for it already. RFC 6749 section 4.1.2 would allow ten minutes. */
export const codeLifetimeMs = 5 * 60_000;

type Authorize = Extract<Purpose, { for: "authorize" }>;

/** @see https://spec.matrix.org/v1.19/client-server-api/#authorisation-code-grant */
export class CodeGrant {
  readonly #with: OAuthParts;

  constructor(parts: OAuthParts) {
    this.#with = parts;
  }

  /**
   * @returns what is asked for, or where the browser goes to tell the client what is wrong with it
   * @throws MatrixError as OAuth.open
   */
  async requested(
    query: AuthorizationQuery,
  ): Promise<{ client: ClientView; id: string; request: AuthorizationRequest } | { to: string }> {
    const id = needed(query.client_id, "client_id");
    const metadata = await this.#with.clients.get(id);
    const callback = callbackOf(query, metadata);
    try {
      return { client: clientView(metadata), id, request: authorizationRequest(query, metadata, callback) };
    } catch (error) {
      if (error instanceof MatrixError && isOAuthError(error)) return { to: refusedUrl(callback, error) };
      throw error;
    }
  }

  /** The user's word: sends the browser back to the app, with a code or without. */
  async answer({ key, owner, purpose }: SignedIn<Authorize>, allow: boolean): Promise<Page> {
    const { storage, clients, now } = this.#with;
    const { client, request } = purpose;
    if (!allow) {
      await storage.commit((write) => write.delete("oauthSecrets", key));
      return { page: "redirect", to: refusedUrl(request, oauthError("access_denied", "The user said no.")) };
    }
    const { name: displayName } = clientView(await clients.get(client));
    const code = newSecret("hearth_code");
    const hash = await hashToken(code);
    const { redirectUri, challenge, scope, deviceId } = request;
    const expiresAt = now() + codeLifetimeMs;
    const asked = { client, redirectUri, challenge, scope, deviceId, displayName };
    await storage.commit((write) => {
      write.delete("oauthSecrets", key);
      write.put("oauthSecrets", { kind: "code", expiresAt, owner, ...asked }, hash);
    });
    return { page: "redirect", to: callbackUrl(request, { code }) };
  }

  redeem(request: RequestId, form: TokenForm): Promise<TokenAnswer> {
    const { answers, secrets, users } = this.#with;
    return answers.once(request, async (record) => {
      const found = await secrets.open("code", needed(form.code, "code"));
      if (found === undefined || !(await isFor(found.row, form))) throw invalidGrant();
      const { key, row } = found;
      const grant = newGrantId();
      const { client, deviceId, displayName, owner, scope } = row;
      const login = { deviceId, displayName, oauth: { client, grant } };
      const answer = await users.logIn(owner, login, async () => {
        const still = await secrets.find("code", key);
        if (still === undefined || still.given !== undefined) return undefined;
        return (write, made) => {
          write.put("oauthSecrets", { ...still, given: grant }, key);
          return record(write, tokenAnswer(made, scope));
        };
      });
      if (answer !== undefined) return answer;
      // Two have the code, and its verifier: whoever came first may be the wrong one.
      const given = (await secrets.find("code", key))?.given;
      if (given !== undefined) await users.endLogin(owner.userId, given);
      throw invalidGrant();
    });
  }
}

/** Which of a device's logins it is. */
export const newGrantId = () => encodeBase64Url(crypto.getRandomValues(new Uint8Array(16)));

/** Whether it is the client that asked for the code, with what it kept to itself. @throws MatrixError invalid_request */
async function isFor(row: OAuthCodeRow, form: TokenForm): Promise<boolean> {
  const client = needed(form.client_id, "client_id");
  const redirectUri = needed(form.redirect_uri, "redirect_uri");
  const verifier = needed(form.code_verifier, "code_verifier");
  if (client !== row.client || redirectUri !== row.redirectUri) return false;
  if (!verifierGrammar.test(verifier)) return false;
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier));
  return encodeBase64Url(new Uint8Array(hash)) === row.challenge;
}
