import type { OAuth, OAuthForComponents, OAuthForNode } from "./api.ts";
import type { OAuthOptions } from "./parts.ts";

type Whole = OAuth & OAuthForComponents & OAuthForNode;

/**
 * Puts the component together when it is first called: hardly anybody logs in while a homeserver opens, so that its code
 * need not be there by then.
 */
export function openOAuth(options: OAuthOptions): Whole {
  let made: Promise<Whole> | undefined;
  const whole = (): Promise<Whole> => {
    made ??= import("./oauth.ts")
      .then(({ makeOAuth }) => makeOAuth(options))
      .catch((error: unknown) => {
        made = undefined; // the file may be there the next time
        throw error;
      });
    return made;
  };

  return {
    registerClient: async (metadata) => (await whole()).registerClient(metadata),
    token: async (request, form) => (await whole()).token(request, form),
    authorizeDevice: async (clientId, scope) => (await whole()).authorizeDevice(clientId, scope),
    revoke: async (token) => (await whole()).revoke(token),
    open: async (target) => (await whole()).open(target),
    signIn: async (target, user, password) => (await whole()).signIn(target, user, password),
    createAccount: async (request, target, account) =>
      (await whole()).createAccount(request, target, account),
    decide: async (session, allow) => (await whole()).decide(session, allow),
    manage: async (request, session, act) => (await whole()).manage(request, session, act),

    crossSigningResetAllowed: async (userId) => (await whole()).crossSigningResetAllowed(userId),
    confirmCrossSigningReset: async (requester, purpose, auth) =>
      (await whole()).confirmCrossSigningReset(requester, purpose, auth),

    dropExpired: async function* () {
      yield* (await whole()).dropExpired();
    },
    dropUnusedClients: async function* () {
      yield* (await whole()).dropUnusedClients();
    },
  };
}
